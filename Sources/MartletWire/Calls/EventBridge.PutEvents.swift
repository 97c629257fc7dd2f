// The face of EventBridge's PutEvents, which Lambda calls for records of asynchronous invocation.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
import MartletCore

/// The namespace of EventBridge's operations.
package enum EventBridge {}

extension EventBridge {
  package enum PutEvents: Shape {
    package static let route = Route.rest("EventBridge.PutEvents", .post, "/")

    package struct Entry: Sendable, Equatable {
      package let source: String
      package let detailType: String
      /// A JSON object.
      package let detail: String
      package let resources: [String]
      /// Name or ARN.
      package let bus: String?
      package let traceHeader: String?

      package init(
        source: String, detailType: String, detail: String, resources: [String] = [], bus: String? = nil,
        traceHeader: String? = nil
      ) {
        self.source = source
        self.detailType = detailType
        self.detail = detail
        self.resources = resources
        self.bus = bus
        self.traceHeader = traceHeader
      }
    }

    package struct Input: Readable, Sendable {
      package let entries: [Entry]

      package init(entries: [Entry]) { self.entries = entries }

      package init(_ r: Reader) throws(AWSError) { throw .notImplemented("EventBridge.PutEvents over HTTP") }
    }

    /// What came of one entry: an id, or an error of its own.
    package enum Result: Sendable, Equatable {
      case put(id: String)
      case failed(code: String, message: String)
    }

    package struct Output: Writable, Sendable {
      package let results: [Result]

      package init(results: [Result]) { self.results = results }

      package func write(to w: inout Writer) {
        w.body { w in
          w.member("FailedEntryCount", results.count { if case .failed = $0 { true } else { false } })
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
