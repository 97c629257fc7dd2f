// LookupEvents: management events of the last ninety days, the latest first, a page at a time.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension CloudTrail {
  enum LookupEvents: Operation {
    static let route = Route.target("CloudTrail.LookupEvents")

    struct Input: Readable {
      let attributes: [(key: String, value: String)]
      let start: Timestamp?
      let end: Timestamp?
      let isInsight: Bool
      let count: Int
      let token: String?

      private static let keys = [
        "EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId",
      ]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        attributes = (m.objects("LookupAttributes") ?? []).map {
          ($0.required("AttributeKey", .oneOf(Input.keys)), $0.required("AttributeValue", .length(1, 2000)))
        }
        start = m.time("StartTime")
        end = m.time("EndTime")
        isInsight = m.string("EventCategory", .oneOf(["insight"])) != nil
        count = m.integer("MaxResults", in: 1...50) ?? 50
        token = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let events: [AuditStore.Found]
      let next: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Events", events) { w, event in
            w.member("EventId", event.id)
            w.member("EventName", event.name)
            w.member("ReadOnly", event.isReadOnly)
            w.member("AccessKeyId", event.accessKey.isEmpty ? nil : event.accessKey)
            w.moment("EventTime", Timestamp(milliseconds: event.position.time / 1000 * 1000))
            w.member("EventSource", event.source)
            w.member("Username", event.user.isEmpty ? nil : event.user)
            w.list("Resources", event.resources) { w, resource in
              w.member("ResourceType", resource.type)
              w.member("ResourceName", resource.name)
            }
            w.member("CloudTrailEvent", event.document)
          }
          w.member("NextToken", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      guard input.attributes.count < 2 else { throw .lookupAttributes() }
      if let start = input.start, let end = input.end, start > end { throw .lookupTimes() }
      let after = try input.token.map { (text) throws(AWSError) in try position(text) }
      if input.isInsight { return Output(events: [], next: nil) }
      let (place, attribute, count) = (call.place, input.attributes.first, input.count)
      let start = max(service.horizon, input.start?.milliseconds ?? .min)
      // Events have times of whole seconds.
      let end = input.end.map { $0.milliseconds / 1000 * 1000 + 999 } ?? .max
      let found = try await service.reading { (store) throws(Fault) in
        try store.events(in: place, from: start, to: end, where: attribute, after: after, count: count + 1)
      }
      let page = Array(found.prefix(count))
      let next = found.count > count ? page.last.map { text($0.position) } : nil
      return Output(events: page, next: next)
    }

    private static func text(_ position: AuditStore.Position) -> String {
      Base64.encode(Array("\(position.time) \(position.seq)".utf8))
    }

    private static func position(_ text: String) throws(AWSError) -> AuditStore.Position {
      let parts = Base64.decode(text).map { String(buffer: $0).split(separator: " ") } ?? []
      guard parts.count == 2, let time = Int64(parts[0]), let seq = Int64(parts[1]) else { throw .lookupToken() }
      return AuditStore.Position(time: time, seq: seq)
    }
  }
}
