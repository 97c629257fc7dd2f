// GetTraceSummaries: traces of a span of time that a filter expression lets through, a page at a time.
// https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
import MartletCore
import MartletWire

extension XRay {
  enum GetTraceSummaries: Operation {
    static let route = Route.rest("XRay.GetTraceSummaries", .post, "/TraceSummaries")

    struct Input: Readable {
      let times: XRayTimes
      let range: String
      let filter: String
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        times = XRayTimes(m)
        range = m.string("TimeRangeType", .oneOf(["TraceId", "Event", "Service"])) ?? "TraceId"
        // What is sampled here anyway comes whole.
        _ = m.bool("Sampling")
        if let strategy = m.object("SamplingStrategy") {
          _ = strategy.string("Name", .oneOf(["PartialScan", "FixedRate"]))
          _ = strategy.number("Value", in: XRayTimes.range)
        }
        filter = m.string("FilterExpression") ?? ""
        token = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let summaries: [TraceSummary]
      let now: Timestamp
      let processed: Int
      let next: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("TraceSummaries", summaries) { $1.write(to: &$0) }
          w.moment("ApproximateTime", now)
          w.member("TracesProcessedCount", processed)
          w.member("NextToken", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let times = try input.times.checked(longest: 86400)
      let filter = try xray.filter(input.filter)
      let position = try input.token.map { (text) throws(AWSError) in try XRayToken.position(text) }
      let page = try await xray.page(
        times, byArrival: input.range != "TraceId", after: position, filter, call)
      return Output(
        summaries: page.found.map { TraceSummary($0.trace, $0.profile) }, now: xray.world.now(),
        processed: page.processed, next: page.next.map { XRayToken.text($0) })
    }
  }
}
