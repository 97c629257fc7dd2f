// Amounts of money, exactly: no fraction of a cent is lost between a price and a sum.
import MartletCore

/// What one of something costs, in 10^-12 of the currency.
package struct Price: Sendable, Hashable {
  package let pico: Int64

  package init(pico: Int64) { self.pico = pico }

  /// Reads `0.0000166667`; nil for anything else, with more than twelve digits after the point, or a million or more.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { 48...57 ~= $0 } }),
      let whole = Int64(parts[0]), whole < 1_000_000
    else { return nil }
    let digits = parts.count == 2 ? parts[1] : "0"
    guard digits.count <= 12, let fraction = Int64(digits + String(repeating: "0", count: 12 - digits.count)) else {
      return nil
    }
    pico = whole * 1_000_000_000_000 + fraction
  }
}

/// A sum. Its unit divides all that is charged for: millionths of requests, gigabyte-seconds in megabyte-milliseconds,
/// and gigabytes in bytes.
package struct Money: Sendable, Hashable, Comparable {
  /// Units in 10^-12 of the currency: 2^30 · 5^6.
  private static let perPico: Int128 = 1_073_741_824 * 15625

  private let units: Int128

  package static let zero = Money(units: 0)

  private init(units: Int128) { self.units = units }

  /// - Parameter price: of a million.
  package init(requests: Int64, perMillion price: Price) { self.init(requests, price, share: 1_000_000) }

  /// - Parameter price: of a gigabyte for a second.
  package init(megabyteMilliseconds: Int64, perGBSecond price: Price) {
    self.init(megabyteMilliseconds, price, share: 1_024_000)
  }

  /// - Parameter price: of a gigabyte.
  package init(bytes: Int64, perGB price: Price) { self.init(bytes, price, share: 1_073_741_824) }

  /// What is larger than all money is as good as that.
  private init(_ count: Int64, _ price: Price, share: Int128) {
    let (units, isTooMuch) = (Int128(count) * Int128(price.pico)).multipliedReportingOverflow(by: Money.perPico / share)
    self.units = isTooMuch ? Int128.max / 4 : units
  }

  package static func < (a: Money, b: Money) -> Bool { a.units < b.units }
  package static func + (a: Money, b: Money) -> Money { Money(units: a.units &+ b.units) }
  package static func - (a: Money, b: Money) -> Money { Money(units: a.units &- b.units) }
  package static func += (a: inout Money, b: Money) { a = a + b }

  /// So many of this amount.
  package static func * (a: Money, count: Int64) -> Money {
    let (units, isTooMuch) = a.units.multipliedReportingOverflow(by: Int128(count))
    return Money(units: isTooMuch ? Int128.max / 4 : units)
  }

  /// One of so many equal parts, as far as the unit goes.
  package static func / (a: Money, count: Int64) -> Money { Money(units: a.units / Int128(count)) }

  /// The nearest amount of twelve digits after the point.
  package var rounded: Money {
    let step = UInt128(Money.perPico)
    let magnitude = Int128((units.magnitude + step / 2) / step * step)
    return Money(units: units < 0 ? -magnitude : magnitude)
  }

  /// With so many digits after the point, at most twelve, rounded to the nearest.
  package func text(_ digits: Int) -> String {
    var step = Money.perPico
    for _ in min(12, max(0, digits))..<12 { step *= 10 }
    let rounded = (units.magnitude + UInt128(step) / 2) / UInt128(step)
    var text = String(rounded)
    if digits > 0 {
      if text.count <= digits { text = String(repeating: "0", count: digits + 1 - text.count) + text }
      text.insert(".", at: text.index(text.endIndex, offsetBy: -digits))
    }
    return (units < 0 && rounded > 0 ? "-" : "") + text
  }

  /// Two digits after the point; of small amounts so many that four tell something, at most twelve.
  package var short: String {
    for digits in stride(from: 2, to: 12, by: 1) {
      let significant = text(digits).drop { $0 == "-" || $0 == "0" || $0 == "." }.filter { $0 != "." }
      if significant.count >= (digits == 2 ? 3 : 4) || units == 0 { return text(digits) }
    }
    return text(12)
  }

  /// For charts, where fractions do not matter.
  package var approximate: Double { Double(units) / Double(Money.perPico) / 1e12 }
}
