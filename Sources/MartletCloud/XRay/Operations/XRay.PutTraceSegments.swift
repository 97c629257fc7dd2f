// PutTraceSegments: segments that a client sends; on disk when it is answered.
// https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
import MartletCore
import MartletWire

extension XRay {
  enum PutTraceSegments: Operation {
    static let route = Route.rest("XRay.PutTraceSegments", .post, "/TraceSegments")

    struct Input: Readable {
      let documents: [String]
      init(_ r: Reader) throws(AWSError) {
        documents = try r.body().requiredStrings("TraceSegmentDocuments")
      }
    }

    struct Unprocessed: Sendable {
      let id: String?
      let flaw: TraceSegment.Flaw
    }

    struct Output: Writable {
      let unprocessed: [Unprocessed]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("UnprocessedTraceSegments", unprocessed) { w, one in
            w.member("Id", one.id)
            w.member("ErrorCode", one.flaw.rawValue)
            w.member("Message", one.flaw.message)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      var segments: [TraceSegment] = []
      var unprocessed: [Unprocessed] = []
      for document in input.documents {
        do throws(TraceSegment.Flaw) {
          segments.append(try TraceSegment(document))
        } catch {
          let id = (try? JSONValue(parsing: document))?["id"]?.string
          unprocessed.append(Unprocessed(id: id, flaw: error))
        }
      }
      try await xray.put(segments, in: call.place)
      return Output(unprocessed: unprocessed)
    }
  }
}
