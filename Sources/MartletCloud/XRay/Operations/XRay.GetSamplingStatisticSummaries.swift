// GetSamplingStatisticSummaries: what the rules have decided in the last hour, minute by minute.
// https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingStatisticSummaries.html
import MartletCore
import MartletWire
import Synchronization

extension XRay {
  enum GetSamplingStatisticSummaries: Operation {
    static let route = Route.rest(
      "XRay.GetSamplingStatisticSummaries", .post, "/SamplingStatisticSummaries")

    typealias Input = GetSamplingRules.Input

    struct Summary: Sendable {
      let rule: String
      let minute: Int64
      let figures: SamplingTable.Figures
    }

    struct Output: Writable {
      let summaries: [Summary]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("SamplingStatisticSummaries", summaries) { w, one in
            w.member("RuleName", one.rule)
            w.member("Timestamp", Int(one.minute * 60))
            w.member("RequestCount", one.figures.requests)
            w.member("BorrowCount", one.figures.borrowed)
            w.member("SampledCount", one.figures.sampled)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      if input.token != nil { throw .xrayInvalidToken() }
      let first = xray.world.now().seconds / 60 - 60
      let figures = xray.sampling.withLock { $0.figures }
      let summaries = figures.filter { $0.key.place == call.place }.flatMap { key, minutes in
        minutes.filter { $0.key > first }.map {
          Summary(rule: key.name, minute: $0.key, figures: $0.value)
        }
      }
      return Output(summaries: summaries.sorted { ($0.minute, $0.rule) < ($1.minute, $1.rule) })
    }
  }
}
