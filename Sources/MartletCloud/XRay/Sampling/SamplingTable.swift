// Who was asked how often: the reservoirs of the rules, and their figures of the last minutes.
import MartletCore
import MartletWire

struct SamplingTable: Sendable {
  struct Figures: Sendable, Equatable {
    var requests = 0
    var sampled = 0
    var borrowed = 0
  }

  private struct ReservoirName: Hashable {
    let rule: ResourceKey
    let service: String
  }

  private var reservoirs: [ReservoirName: SamplingReservoir] = [:]
  /// By rule and by minute since 1970.
  private(set) var figures: [ResourceKey: [Int64: Figures]] = [:]
  /// So that names that come and go do not fill the memory.
  private static let mostReservoirs = 10_000
  private static let minutesKept: Int64 = 60

  /// Decides about one request. Every service has a reservoir of its own, as with Lambda's functions on AWS.
  mutating func decide(_ rule: SamplingRule, _ service: String, at now: Timestamp, chance: UInt64)
    -> Bool
  {
    let name = ReservoirName(rule: rule.key, service: service)
    if reservoirs.count >= SamplingTable.mostReservoirs, reservoirs[name] == nil {
      reservoirs = [:]
    }
    let decision = reservoirs[name, default: SamplingReservoir()].decide(
      second: now.seconds, size: rule.settings.reservoir, rate: rule.settings.fixedRate,
      chance: chance)
    count(
      rule.key,
      Figures(
        requests: 1, sampled: decision.isSampled ? 1 : 0, borrowed: decision.isBorrowed ? 1 : 0),
      at: now)
    return decision.isSampled
  }

  mutating func count(_ rule: ResourceKey, _ more: Figures, at now: Timestamp) {
    let minute = now.seconds / 60
    var known = figures[rule, default: [:]]
    if known[minute] == nil { known = known.filter { $0.key > minute - SamplingTable.minutesKept } }
    // What clients say is not to be trusted.
    var sum = known[minute, default: Figures()]
    sum.requests &+= more.requests
    sum.sampled &+= more.sampled
    sum.borrowed &+= more.borrowed
    known[minute] = sum
    figures[rule] = known
  }

  mutating func forget(_ rule: ResourceKey) {
    figures[rule] = nil
    reservoirs = reservoirs.filter { $0.key.rule != rule }
  }
}
