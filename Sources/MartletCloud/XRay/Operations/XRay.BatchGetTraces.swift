// BatchGetTraces: traces by their ids, every segment with what belongs below it.
// https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
import MartletCore
import MartletWire

extension XRay {
  enum BatchGetTraces: Operation {
    static let route = Route.rest("XRay.BatchGetTraces", .post, "/Traces")

    struct Input: Readable {
      let ids: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        ids = m.requiredStrings("TraceIds", each: [.length(1, 35)])
        _ = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let traces: [Trace]
      let unprocessed: [String]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Traces", traces) { w, trace in
            w.member("Id", trace.id)
            w.member("Duration", trace.duration)
            w.member("LimitExceeded", false)
            w.list("Segments", trace.segments) { w, segment in
              w.member("Id", segment.id)
              w.member("Document", segment.document.text)
            }
          }
          w.member("UnprocessedTraceIds", unprocessed)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let (traces, unprocessed) = try await xray.traces(input.ids, call)
      return Output(traces: traces, unprocessed: unprocessed)
    }
  }
}
