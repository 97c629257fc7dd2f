// What was used, and what it costs: by function at list price, and by month as AWS bills an account.
import MartletCore

/// Mebibytes are multiplied with milliseconds, as in the metrics of Martlet/Cost.
package struct Usage: Sendable, Equatable {
  package var requests: Int64 = 0
  /// Milliseconds.
  package var billed: Int64 = 0
  package var onDemand: Int64 = 0
  package var provisionedDuration: Int64 = 0
  package var provisioned: Int64 = 0
  package var storage: Int64 = 0
  /// Bytes.
  package var streamed: Int64 = 0

  package init() {}

  /// One invocation on demand.
  /// - Parameters:
  ///   - billed: milliseconds.
  ///   - memory: and `storage`: mebibytes.
  package init(billed: Int64, memory: Int64, storage: Int64) {
    requests = 1
    self.billed = billed
    onDemand = billed * memory
    self.storage = billed * max(0, storage - 512)
  }

  package static func += (a: inout Usage, b: Usage) {
    a.requests += b.requests
    a.billed += b.billed
    a.onDemand += b.onDemand
    a.provisionedDuration += b.provisionedDuration
    a.provisioned += b.provisioned
    a.storage += b.storage
    a.streamed += b.streamed
  }

  /// What remains when another is taken away; nothing is below zero.
  package static func - (a: Usage, b: Usage) -> Usage {
    var rest = Usage()
    rest.requests = max(0, a.requests - b.requests)
    rest.billed = max(0, a.billed - b.billed)
    rest.onDemand = max(0, a.onDemand - b.onDemand)
    rest.provisionedDuration = max(0, a.provisionedDuration - b.provisionedDuration)
    rest.provisioned = max(0, a.provisioned - b.provisioned)
    rest.storage = max(0, a.storage - b.storage)
    rest.streamed = max(0, a.streamed - b.streamed)
    return rest
  }

  /// On demand and provisioned, in thousandths.
  package var milliGBSeconds: Int64 {
    let (whole, rest) = (onDemand + provisionedDuration).quotientAndRemainder(dividingBy: PriceTable.gigabyteSecond)
    return whole * 1000 + (rest * 1000 + PriceTable.gigabyteSecond / 2) / PriceTable.gigabyteSecond
  }
}

/// Use by architecture.
package typealias Usages = [Architecture: Usage]

/// What something costs before anything is free.
package struct Charges: Sendable, Equatable {
  package var requests = Money.zero
  package var duration = Money.zero
  /// What is kept ready, and what runs there.
  package var provisioned = Money.zero
  package var storage = Money.zero
  package var streaming = Money.zero

  package init() {}

  package var total: Money { requests + duration + provisioned + storage + streaming }

  package static func += (a: inout Charges, b: Charges) {
    a.requests += b.requests
    a.duration += b.duration
    a.provisioned += b.provisioned
    a.storage += b.storage
    a.streaming += b.streaming
  }
}

/// An account's.
package struct Bill: Sendable, Equatable {
  package var list = Money.zero
  /// What the free tier takes off.
  package var free = Money.zero
  /// What larger amounts take off.
  package var tiers = Money.zero

  package init() {}

  package var total: Money { list - free - tiers }

  /// As it is shown: its parts add up to its total.
  package var rounded: Bill {
    var bill = Bill()
    (bill.list, bill.free, bill.tiers) = (list.rounded, free.rounded, tiers.rounded)
    return bill
  }

  package static func += (a: inout Bill, b: Bill) {
    a.list += b.list
    a.free += b.free
    a.tiers += b.tiers
  }

  package static func - (a: Bill, b: Bill) -> Bill {
    var rest = Bill()
    rest.list = a.list - b.list
    rest.free = a.free - b.free
    rest.tiers = a.tiers - b.tiers
    return rest
  }
}

extension PriceTable {
  /// At the price of the first tier.
  package func charges(_ use: Usage, _ architecture: Architecture) -> Charges {
    let prices = of(architecture)
    var charges = Charges()
    charges.requests = Money(requests: use.requests, perMillion: prices.requests)
    charges.duration = Money(megabyteMilliseconds: use.onDemand, perGBSecond: prices.duration[0].price)
    charges.provisioned =
      Money(megabyteMilliseconds: use.provisioned, perGBSecond: prices.provisioned)
      + Money(megabyteMilliseconds: use.provisionedDuration, perGBSecond: prices.provisionedDuration)
    charges.storage = Money(megabyteMilliseconds: use.storage, perGBSecond: prices.storage)
    charges.streaming = Money(bytes: use.streamed, perGB: prices.streaming)
    return charges
  }

  package func charges(_ uses: Usages) -> Charges {
    uses.reduce(into: Charges()) { $0 += charges($1.value, $1.key) }
  }

  /// What an account pays for all that it used since a month began. What is free goes to the architectures in the order
  /// x86_64, arm64; AWS does not say.
  package func bill(_ month: Usages, hasFreeTier: Bool) -> Bill {
    var bill = Bill()
    var (requests, duration, streaming) = hasFreeTier ? (freeRequests, freeDuration, freeStreaming) : (0, 0, 0)
    for architecture in Architecture.allCases {
      guard let use = month[architecture] else { continue }
      let prices = of(architecture)
      let charges = charges(use, architecture)
      bill.list += charges.total
      bill.tiers += charges.duration - tiered(use.onDemand, prices.duration)
      func taken(_ used: Int64, _ free: inout Int64) -> Int64 {
        defer { free -= min(free, used) }
        return min(free, used)
      }
      bill.free += Money(requests: taken(use.requests, &requests), perMillion: prices.requests)
      bill.free += Money(
        megabyteMilliseconds: taken(use.onDemand, &duration), perGBSecond: prices.duration[0].price)
      bill.free += Money(bytes: taken(use.streamed, &streaming), perGB: prices.streaming)
    }
    return bill
  }

  private func tiered(_ amount: Int64, _ tiers: [Tier]) -> Money {
    var (sum, done) = (Money.zero, Int64(0))
    for tier in tiers {
      let end = min(amount, tier.end ?? amount)
      if end > done { sum += Money(megabyteMilliseconds: end - done, perGBSecond: tier.price) }
      done = max(done, end)
    }
    return sum
  }
}
