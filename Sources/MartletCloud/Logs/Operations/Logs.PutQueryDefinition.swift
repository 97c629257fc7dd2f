// PutQueryDefinition: keeps a query under a name.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutQueryDefinition: Operation {
    static let route = Route.target("Logs.PutQueryDefinition")

    struct Input: Readable {
      let id: String?
      let members: JSONValue
      let query: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        _ = m.string("queryLanguage", .oneOf(["CWLI", "SQL", "PPL"]))
        _ = m.required("name", .length(1, 255))
        id = m.string("queryDefinitionId", .length(1, 256))
        _ = m.strings("logGroupNames", each: [.length(1, 512), .pattern(Logs.groupPattern)])
        query = m.required("queryString", .length(1, 10_000))
        _ = m.string("clientToken", .length(36, 128), .pattern(Pattern(#"\S{36,128}"#)))
        for parameter in m.objects("parameters", count: 0...20) ?? [] {
          _ = parameter.required("name", .length(1, 128), .pattern(Pattern("^[a-zA-Z_][a-zA-Z0-9_]*")))
          _ = parameter.string("defaultValue", .length(nil, 1024))
          _ = parameter.string("description", .length(nil, 512))
        }
        let kept = ["queryLanguage", "name", "logGroupNames", "queryString", "parameters"]
        members = .object(m.members.filter { kept.contains($0.name) && $0.value != .null })
      }
    }

    struct Output: Writable {
      let id: String

      func write(to w: inout Writer) {
        w.body { w in
          w.member("queryDefinitionId", id)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let id = input.id ?? RequestID(from: logs.world).description
      let key = ResourceKey(place: call.place, name: id)
      let members =
        (input.members.members ?? []) + [
          .init("queryDefinitionId", .string(id)), .init("lastModified", .integer(logs.now)),
        ]
      try await logs.definitions.change(key) { record throws(AWSError) in
        if input.id != nil, record == nil { throw .logsNoResource("The specified query definition does not exist.") }
        record = QueryDefinition(key: key, members: .object(members))
      }
      return Output(id: id)
    }
  }
}
