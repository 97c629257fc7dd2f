// ListLogGroups: names of groups, by a pattern.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroups.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum ListLogGroups: Operation {
    static let route = Route.target("Logs.ListLogGroups")

    struct Input: Readable {
      let choices: [(text: String, isPrefix: Bool)]
      let logClass: String?
      let tags: [(key: String, values: [String])]
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        let pattern = m.string(
          "logGroupNamePattern", .length(3, 129),
          .pattern(Pattern(#"(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}"#)))
        choices = (pattern ?? "").split(separator: "|").map { part in
          part.hasPrefix("^") ? (String(part.dropFirst()), true) : (String(part), false)
        }
        logClass = m.string("logGroupClass", .oneOf(LogGroup.classes))
        _ = m.bool("includeLinkedAccounts")
        _ = m.strings(
          "accountIdentifiers", count: 0...20, each: [.length(12, 12), .pattern(Pattern(#"^\d{12}$"#))])
        page = LogsPage(m, upTo: 1000)
        for source in m.objects("dataSources", count: 1...5) ?? [] {
          _ = source.required("name")
          _ = source.string("type")
        }
        _ = m.strings("fieldIndexNames", count: 1...20, each: [.length(1, 512), .pattern(Logs.groupPattern)])
        tags = (m.objects("logGroupTags", count: 1...5) ?? []).map { tag in
          (
            tag.required("key", .length(1, 128), .pattern(Logs.tagKeyPattern)),
            tag.strings("values", count: 0...5, each: [.length(0, 259), .pattern(Logs.tagChoicePattern)]) ?? []
          )
        }
      }
    }

    struct Output: Writable {
      let groups: [LogGroup]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("logGroups", groups) { w, group in
            w.member("logGroupName", group.key.name)
            w.member("logGroupArn", group.arn)
            w.member("logGroupClass", group.logClass)
          }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let groups = logs.groups.list(call.place).filter { group in
        let name = group.key.name
        let isNamed =
          input.choices.isEmpty
          || input.choices.contains { $0.isPrefix ? name.hasPrefix($0.text) : Logs.contains(name, $0.text) }
        let isTagged = input.tags.allSatisfy { wanted in
          group.tags.contains { tag in
            tag.key == wanted.key
              && (wanted.values.isEmpty || wanted.values.contains { WildcardText($0).matches(tag.value.utf8) })
          }
        }
        return isNamed && isTagged && (input.logClass.map { group.logClass == $0 } ?? true)
      }
      let (page, token) = input.page.cut(groups, name: \.key.name)
      return Output(groups: page, token: token)
    }
  }
}
