// Which prices hold: those that the program carries, or those of a file.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletServer
import NIOCore

struct PriceOptions: ParsableArguments {
  @Option(help: "Prices to use instead of those in the program (MARTLET_PRICES): a JSON file, see docs/cost.md.")
  var prices: String?

  func table() throws -> PriceTable {
    guard let path = prices ?? ProcessVariables.all["MARTLET_PRICES"] else { return try PriceTable.carried() }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--prices: \(path) cannot be read")
    }
    do throws(Fault) {
      return try PriceTable(json: ByteBuffer(bytes: data))
    } catch {
      throw ValidationError("--prices: \(path): \(error)")
    }
  }
}

extension PriceTable {
  /// `$` where it is meant.
  func amount(_ text: String) -> String {
    guard currency == "USD" else { return "\(text) \(currency)" }
    return text.hasPrefix("-") ? "-$\(text.dropFirst())" : "$\(text)"
  }

  func amount(_ money: Money) -> String { amount(money.short) }
}
