// The face of EventBridge's PutEvents, which Lambda calls for records of asynchronous invocation and S3 for what
// happens in buckets. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
import MartletCore

/// The namespace of EventBridge's operations.
package enum EventBridge {
  /// Entries of one request.
  package static let largestBatch = 10
}

extension EventBridge {
  package enum PutEvents: Shape {
    package static let route = Route.target("EventBridge.PutEvents")

    package struct Entry: Sendable, Equatable {
      /// Only services may put events whose source begins with `aws.`. Empty: there is none, which is refused.
      package let source: String
      package let detailType: String
      /// A JSON object.
      package let detail: String
      package let resources: [String]
      /// Name or ARN; nil = the default bus.
      package let bus: String?
      /// When it happened, to the second; nil = now.
      package let time: Timestamp?
      package let traceHeader: String?

      package init(
        source: String, detailType: String, detail: String, resources: [String] = [], bus: String? = nil,
        time: Timestamp? = nil, traceHeader: String? = nil
      ) {
        self.source = source
        self.detailType = detailType
        self.detail = detail
        self.resources = resources
        self.bus = bus
        self.time = time
        self.traceHeader = traceHeader
      }

      init(_ m: Members) {
        self.init(
          source: m.string("Source") ?? "", detailType: m.string("DetailType") ?? "", detail: m.string("Detail") ?? "",
          resources: m.strings("Resources", each: [.length(nil, 2048)]) ?? [],
          bus: m.string(
            "EventBusName", .length(1, 1600),
            .pattern(
              Pattern(
                #"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[\.\-_A-Za-z0-9]+"#))),
          time: m.moment("Time").map { Timestamp(milliseconds: Entry.milliseconds($0)) },
          traceHeader: m.string("TraceHeader", .length(1, 500)))
      }

      /// Of seconds; what is beyond the reach of `Timestamp` ends at its end.
      private static func milliseconds(_ seconds: Double) -> Int64 {
        Int64(min(max(seconds, -9e9), 9e9) * 1000)
      }
    }

    package struct Input: Readable, Sendable {
      package let entries: [Entry]
      /// The global endpoint that the request is for.
      package let endpoint: String?

      package init(entries: [Entry]) {
        self.entries = entries
        endpoint = nil
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        entries = m.requiredObjects("Entries", count: 1...EventBridge.largestBatch).map { Entry($0) }
        endpoint = m.string(
          "EndpointId", .length(1, 50), .pattern(Pattern(#"^[A-Za-z0-9\-]+[\.][A-Za-z0-9\-]+$"#)))
      }
    }

    /// What came of one entry: an id, or an error of its own.
    package enum Result: Sendable, Equatable {
      case put(id: String)
      case failed(code: String, message: String)

      var isFailure: Bool { if case .failed = self { true } else { false } }
    }

    package struct Output: Writable, Sendable {
      package let results: [Result]

      package init(results: [Result]) { self.results = results }

      package func write(to w: inout Writer) {
        w.body { w in
          w.member("FailedEntryCount", results.count { $0.isFailure })
          w.list("Entries", results) { w, result in
            switch result {
            case .put(let id): w.member("EventId", id)
            case .failed(let code, let message):
              w.member("ErrorCode", code)
              w.member("ErrorMessage", message)
            }
          }
        }
      }
    }
  }
}
