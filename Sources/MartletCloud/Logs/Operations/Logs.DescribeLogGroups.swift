// DescribeLogGroups: the groups of an account and region, by their names.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeLogGroups: Operation {
    static let route = Route.target("Logs.DescribeLogGroups")

    struct Input: Readable {
      let prefix: String?
      let pattern: String?
      let identifiers: [String]?
      let logClass: String?
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        _ = m.strings(
          "accountIdentifiers", count: 0...20, each: [.length(12, 12), .pattern(Pattern(#"^\d{12}$"#))])
        prefix = m.string("logGroupNamePrefix", .length(1, 512), .pattern(Logs.groupPattern))
        pattern = m.string("logGroupNamePattern", .length(0, 512), .pattern(Pattern(#"[\.\-_/#A-Za-z0-9]*"#)))
        _ = m.bool("includeLinkedAccounts")
        logClass = m.string("logGroupClass", .oneOf(LogGroup.classes))
        identifiers = m.strings(
          "logGroupIdentifiers", count: 1...50, each: [.length(1, 2048), .pattern(Logs.identifierPattern)])
        page = LogsPage(m)
        if prefix != nil, pattern != nil {
          m.refuse(
            .logsInvalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."))
        }
      }
    }

    struct Output: Writable {
      let groups: [(group: LogGroup, bytes: Int)]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("logGroups", groups) { w, sized in sized.group.write(to: &w, storedBytes: sized.bytes) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      var names: Set<String>?
      if let identifiers = input.identifiers {
        var wanted = Set<String>()
        for text in identifiers { wanted.insert(try GroupReference(identifier: text).name(in: call.place)) }
        names = wanted
      }
      let groups = logs.groups.list(call.place).filter { group in
        group.key.name.hasPrefix(input.prefix ?? "")
          && (input.pattern.map { Logs.contains(group.key.name, $0) } ?? true)
          && (input.logClass.map { group.logClass == $0 } ?? true) && (names?.contains(group.key.name) ?? true)
      }
      let (page, token) = input.page.cut(groups, name: \.key.name)
      let sized = try await logs.searching { () throws(Fault) -> [(group: LogGroup, bytes: Int)] in
        var sized: [(group: LogGroup, bytes: Int)] = []
        for group in page { sized.append((group, try logs.folder(group).textBytes)) }
        return sized
      }
      return Output(groups: sized, token: token)
    }
  }
}
