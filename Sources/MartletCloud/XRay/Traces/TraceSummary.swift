// What is said of a trace in a list. https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html
import MartletCore
import MartletWire

struct TraceSummary: Sendable {
  private let trace: Trace
  private let facts: TraceFacts
  private let services: [TracedService]
  private let annotations: [(key: String, values: [(value: TraceFacts.Value, services: [TracedService])])]
  private let users: [(name: String, services: [TracedService])]

  init(_ trace: Trace, _ profile: TraceProfile) {
    self.trace = trace
    facts = profile.trace
    let sending = profile.services
    services = sending.map(\.service)
    annotations = profile.trace.annotations.sorted { $0.key < $1.key }.map { key, values in
      var seen: Set<TraceFacts.Value> = []
      return (
        key,
        values.filter { seen.insert($0).inserted }.map { value in
          (
            value,
            sending.filter { $0.facts.annotations[key]?.contains(value) == true }.map(\.service)
          )
        }
      )
    }
    users = (profile.trace.texts[.user] ?? []).map { name in
      (name, sending.filter { $0.facts.texts[.user]?.contains(name) == true }.map(\.service))
    }
  }

  func write(to w: inout MemberWriter) {
    let root = trace.root
    w.member("Id", trace.id)
    w.member("StartTime", trace.start)
    w.member("Duration", trace.duration)
    w.member("ResponseTime", root?.duration ?? 0)
    w.member("HasFault", facts.flags.contains(.fault))
    w.member("HasError", facts.flags.contains(.error))
    w.member("HasThrottle", facts.flags.contains(.throttle))
    w.member("IsPartial", facts.flags.contains(.partial))
    let http = root?.document["http"]
    w.object("Http") { w in
      w.member("HttpURL", http?["request"]?["url"]?.string)
      w.member("HttpStatus", http?["response"]?["status"]?.integer)
      w.member("HttpMethod", http?["request"]?["method"]?.string)
      w.member("UserAgent", http?["request"]?["user_agent"]?.string)
      w.member("ClientIp", http?["request"]?["client_ip"]?.string)
    }
    w.member(
      "Annotations",
      .object(
        annotations.map { annotation in
          .init(
            annotation.key,
            .array(
              annotation.values.map { value in
                .members(
                  ("AnnotationValue", TraceSummary.json(value.value)),
                  ("ServiceIds", .array(value.services.map { TraceSummary.json($0) })))
              }))
        }))
    w.list("Users", users) { w, user in
      w.member("UserName", user.name)
      w.list("ServiceIds", user.services) { TraceGraph.write($1, to: &$0) }
    }
    w.list("ServiceIds", services) { TraceGraph.write($1, to: &$0) }
    w.list("ResourceARNs", facts.texts[.resourceARN] ?? []) { $0.member("ARN", $1) }
    w.list("InstanceIds", facts.texts[.instance] ?? []) { $0.member("Id", $1) }
    w.list("AvailabilityZones", facts.texts[.zone] ?? []) { $0.member("Name", $1) }
    if let root { w.object("EntryPoint") { TraceGraph.write(TraceGraph.service(root), to: &$0) } }
    w.member("Revision", trace.segments.count)
    w.member("MatchedEventTime", trace.end)
  }

  private static func json(_ value: TraceFacts.Value) -> JSONValue {
    switch value {
    case .text(let text): .members(("StringValue", .string(text)))
    case .number(let number): .members(("NumberValue", .double(number)))
    case .bool(let flag): .members(("BooleanValue", .bool(flag)))
    }
  }

  private static func json(_ service: TracedService) -> JSONValue {
    .members(
      ("Name", .string(service.name)), ("Names", .array([.string(service.name)])),
      ("AccountId", service.account.map { .string($0) }),
      ("Type", service.type.isEmpty ? nil : .string(service.type)))
  }
}
