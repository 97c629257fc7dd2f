// What AWS takes for what, read from JSON: prices.json is carried in the program, and can be replaced by a file.
// https://aws.amazon.com/lambda/pricing/
import MartletCore
import MartletWire
import NIOCore

package enum Architecture: String, Sendable, CaseIterable {
  case x86 = "x86_64"
  case arm = "arm64"
}

package struct PriceTable: Sendable {
  /// A price up to an amount in a month.
  struct Tier: Sendable {
    /// In megabyte-milliseconds; nil = for all that follows.
    let end: Int64?
    let price: Price
  }

  /// Of one architecture.
  struct Prices: Sendable {
    /// Of a million.
    let requests: Price
    // Of a gigabyte for a second.
    let duration: [Tier]
    let provisioned: Price
    let provisionedDuration: Price
    let storage: Price
    /// Of a gigabyte.
    let streaming: Price
  }

  package let region: String
  package let currency: String
  /// When the prices were looked up.
  package let date: String
  let prices: [Architecture: Prices]
  // What nobody pays for in a month: requests, megabyte-milliseconds, bytes.
  let freeRequests: Int64
  let freeDuration: Int64
  let freeStreaming: Int64

  static let gigabyteSecond: Int64 = 1_024_000
  private static let gigabyte: Int64 = 1_073_741_824

  /// The table that the program carries.
  package static func carried() throws(Fault) -> PriceTable {
    try PriceTable(json: ByteBuffer(bytes: PackageResources.prices_json))
  }

  /// - Throws: a `Fault` that says what is wrong with the document.
  package init(json: ByteBuffer) throws(Fault) {
    let document: JSONValue
    do { document = try JSONValue(parsing: json) } catch { throw Fault("read prices", "\(error)") }
    region = try PriceTable.text(document, "region")
    currency = try PriceTable.text(document, "currency")
    date = try PriceTable.text(document, "date")
    var prices: [Architecture: Prices] = [:]
    for architecture in Architecture.allCases { prices[architecture] = try Prices(document, architecture) }
    self.prices = prices
    let free = document["freePerMonth"]
    freeRequests = try PriceTable.whole(free, "requests", times: 1)
    freeDuration = try PriceTable.whole(free, "gbSeconds", times: PriceTable.gigabyteSecond)
    freeStreaming = try PriceTable.whole(free, "streamingGB", times: PriceTable.gigabyte)
  }

  private static func text(_ document: JSONValue, _ name: String) throws(Fault) -> String {
    guard let text = document[name]?.string else { throw Fault("read prices", "\(name) is missing") }
    return text
  }

  fileprivate static func whole(_ document: JSONValue?, _ name: String, times unit: Int64) throws(Fault) -> Int64 {
    guard let number = document?[name]?.integer, number >= 0 else {
      throw Fault("read prices", "\(name) is no whole number")
    }
    let (product, isTooMuch) = Int64(number).multipliedReportingOverflow(by: unit)
    if isTooMuch { throw Fault("read prices", "\(name) is too large") }
    return product
  }

  /// The table has all of them.
  func of(_ architecture: Architecture) -> Prices {
    guard let found = prices[architecture] else { preconditionFailure("prices of every architecture are read") }
    return found
  }
}

extension PriceTable.Prices {
  fileprivate init(_ document: JSONValue, _ architecture: Architecture) throws(Fault) {
    func price(_ name: String) throws(Fault) -> Price {
      guard let price = document[name]?[architecture.rawValue]?.string.flatMap({ Price($0) }) else {
        throw Fault("read prices", "\(name) of \(architecture.rawValue) is no decimal number in quotation marks")
      }
      return price
    }
    requests = try price("requestsPerMillion")
    provisioned = try price("provisionedConcurrencyPerGBSecond")
    provisionedDuration = try price("provisionedDurationPerGBSecond")
    storage = try price("storagePerGBSecond")
    streaming = try price("streamingPerGB")
    var tiers: [PriceTable.Tier] = []
    let list = document["durationPerGBSecond"]?[architecture.rawValue]?.array ?? []
    for (index, tier) in list.enumerated() {
      guard let price = tier["price"]?.string.flatMap({ Price($0) }) else {
        throw Fault("read prices", "a tier of durationPerGBSecond of \(architecture.rawValue) has no price")
      }
      let isLast = index == list.count - 1
      let end =
        isLast ? nil : try PriceTable.whole(tier, "upToGBSeconds", times: PriceTable.gigabyteSecond)
      if let end, end <= tiers.last?.end ?? 0 { throw Fault("read prices", "the tiers are not in order") }
      tiers.append(.init(end: end, price: price))
    }
    guard !tiers.isEmpty else {
      throw Fault("read prices", "durationPerGBSecond of \(architecture.rawValue) is missing")
    }
    duration = tiers
  }
}
