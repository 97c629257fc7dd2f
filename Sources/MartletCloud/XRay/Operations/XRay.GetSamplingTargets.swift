// GetSamplingTargets: what an SDK has sampled, and how much it may sample from now on.
// https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingTargets.html
import MartletCore
import MartletWire
import Synchronization

extension XRay {
  enum GetSamplingTargets: Operation {
    static let route = Route.rest("XRay.GetSamplingTargets", .post, "/SamplingTargets")

    struct Input: Readable {
      struct Statistics: Sendable {
        let rule: String
        let time: Double
        let figures: SamplingTable.Figures
      }

      let statistics: [Statistics]
      let boosts: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        statistics = m.requiredObjects("SamplingStatisticsDocuments", count: 0...25).map { one in
          let name = one.required("RuleName", .length(1, 32))
          _ = one.required("ClientID", .length(24, 24))
          return Statistics(
            rule: name, time: one.requiredNumber("Timestamp", in: XRayTimes.range),
            figures: SamplingTable.Figures(
              requests: one.requiredInteger("RequestCount", in: 0...Int.max),
              sampled: one.requiredInteger("SampledCount", in: 0...Int.max),
              borrowed: one.integer("BorrowCount", in: 0...Int.max) ?? 0))
        }
        boosts = (m.objects("SamplingBoostStatisticsDocuments", count: 0...25) ?? []).map { one in
          _ = one.required("ServiceName", .length(nil, 64))
          _ = one.requiredNumber("Timestamp", in: XRayTimes.range)
          for name in ["AnomalyCount", "TotalCount", "SampledAnomalyCount"] {
            _ = one.requiredInteger(name, in: 0...Int.max)
          }
          return one.required("RuleName", .length(1, 32))
        }
      }
    }

    struct Output: Writable {
      let rules: [SamplingRule]
      let unknown: [String]
      let boosts: [String]
      let modified: Timestamp
      let now: Timestamp

      func write(to w: inout Writer) {
        w.body { w in
          w.list("SamplingTargetDocuments", rules) { w, rule in
            w.member("RuleName", rule.key.name)
            w.member("FixedRate", rule.settings.fixedRate)
            w.member("ReservoirQuota", rule.settings.reservoir)
            w.moment("ReservoirQuotaTTL", now + .seconds(GetSamplingTargets.interval))
            w.member("Interval", GetSamplingTargets.interval)
          }
          w.moment("LastRuleModification", modified)
          Output.write("UnprocessedStatistics", unknown, "Unknown rule", to: &w)
          Output.write("UnprocessedBoostStatistics", boosts, "Boosts have no effect here", to: &w)
        }
      }

      private static func write(
        _ name: String, _ rules: [String], _ message: String, to w: inout MemberWriter
      ) {
        w.list(name, rules) { w, rule in
          w.member("RuleName", rule)
          w.member("ErrorCode", "400")
          w.member("Message", message)
        }
      }
    }

    /// Seconds until an SDK asks again.
    static let interval = 10

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let rules = xray.sortedRules(call.place)
      let now = xray.world.now()
      var found: [SamplingRule] = []
      var unknown: [String] = []
      for one in input.statistics {
        guard let rule = rules.first(where: { $0.key.name == one.rule }) else {
          unknown.append(one.rule)
          continue
        }
        xray.sampling.withLock { $0.count(rule.key, one.figures, at: now) }
        found.append(rule)
      }
      let modified = rules.map(\.modified).max() ?? Timestamp(nanoseconds: 0)
      return Output(
        rules: found, unknown: unknown, boosts: input.boosts, modified: modified, now: now)
    }
  }
}
