// Which functions a chain of requests has come through, as its trace header tells it, and the stop of a chain that goes
// round in circles. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html and reference/invoke.md 2.8
import MartletCore

/// The field `Lineage` of a trace header: `1:HASH:COUNT`, with `|` between functions. The count says how often the
/// function was invoked before in the chain.
struct Lineage {
  private var entries: [(function: Substring, count: Int)] = []

  /// A chain is stopped before one function is invoked more often than this in it.
  static let limit = 16
  /// A header must not grow without end; what was entered first is forgotten first.
  private static let longest = 32
  private static let field = "Lineage="

  /// nil if the header tells of none. What cannot be read in it counts for nothing.
  init?(header: String) {
    guard let field = header.split(separator: ";").first(where: { $0.hasPrefix(Lineage.field) }) else { return nil }
    for entry in field.dropFirst(Lineage.field.count).split(separator: "|").suffix(Lineage.longest) {
      let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
      // In AWS's documentation an entry has no number in front.
      guard (2...3).contains(parts.count), let count = Int(parts[parts.count - 1]), (0...9999).contains(count) else {
        continue
      }
      entries.append((parts[parts.count - 2], count))
    }
  }

  /// The chain goes on into `function`.
  /// - Returns: how often it was there before.
  mutating func enter(_ function: String) -> Int {
    guard let index = entries.firstIndex(where: { $0.function == function }) else {
      entries = entries.suffix(Lineage.longest - 1) + [(function[...], 0)]
      return 0
    }
    entries[index].count += 1
    return entries[index].count
  }

  /// How often its functions were invoked in the chain.
  var depth: Int { entries.reduce(0) { $0 + $1.count + 1 } }

  /// The header with this in place of what it told.
  func replaced(in header: String) -> String {
    let others = header.split(separator: ";").filter { !$0.hasPrefix(Lineage.field) }
    return others.joined(separator: ";") + ";" + text
  }

  private var text: String {
    Lineage.field + entries.map { "1:\($0.function):\($0.count)" }.joined(separator: "|")
  }

  /// What a chain that begins with a function adds to its header.
  static func first(_ configuration: FunctionConfiguration) -> String { ";\(field)1:\(name(configuration)):0" }

  /// A function in a lineage: 32 bits of its ARN's hash (FNV-1a), the same for all of its versions.
  static func name(_ configuration: FunctionConfiguration) -> String {
    let hash = configuration.unqualifiedARN.utf8.reduce(into: UInt64(0xcbf2_9ce4_8422_2325)) { hash, byte in
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let digits = String(UInt32(truncatingIfNeeded: hash ^ hash >> 32), radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
  }
}

extension Line {
  /// Enters the function in the lineage of a chain that has one; a chain without gets it in its environment.
  /// - Throws: 400 if the function has been in the chain too often, unless it may be.
  func traced(_ invocation: Invocation, _ version: Resolved) throws(AWSError) -> Invocation {
    guard let caller = invocation.traceHeader, let header = TraceHeader.accepted(caller),
      var lineage = Lineage(header: header)
    else { return invocation }
    let count = lineage.enter(Lineage.name(version.configuration))
    if count >= Lineage.limit, version.stopsLoops { throw .recursiveInvocation() }
    var traced = invocation
    traced.traceHeader = lineage.replaced(in: header)
    return traced
  }
}

extension AWSError {
  static func recursiveInvocation() -> AWSError {
    AWSError(
      "RecursiveInvocationException", status: 400,
      "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources "
        + "and stopped your function's invocation.", messageKey: .upper)
  }
}
