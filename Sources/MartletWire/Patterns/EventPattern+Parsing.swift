// Reads event patterns: any text is a pattern, or it is refused with AWS's reason and the place in the text.
// The order of the checks, and so which of several flaws is named, follows AWS's open rule compiler (event-ruler).

/// What is wrong with a value of the text, by the way to it.
private struct Refusal: Error {
  let reason: String
  /// Positions in the objects and arrays above it.
  var path: [Int] = []
  /// Behind the value, instead of behind its first token.
  var isAtEnd = false

  init(_ reason: String, isAtEnd: Bool = false) {
    self.reason = reason
    self.isAtEnd = isAtEnd
  }

  func below(_ step: Int) -> Refusal {
    var copy = self
    copy.path.insert(step, at: 0)
    return copy
  }
}

extension EventPattern {
  package init(_ text: String, _ dialect: Dialect) throws(EventPatternFlaw) {
    guard text.utf8.contains(where: { $0 > 0x20 }) else {
      throw EventPatternFlaw("Filter is not an object", in: "", at: 0)
    }
    let json: JSONValue
    do throws(JSONFlaw) {
      json = try JSONValue(parsing: text)
    } catch {
      throw EventPatternFlaw(error.reason, in: text, at: error.offset)
    }
    do throws(Refusal) {
      self = try PatternReader(dialect: dialect).pattern(json)
    } catch {
      var locator = JSONLocator(text)
      throw EventPatternFlaw(error.reason, in: text, at: locator.offset(of: error.path, isAtEnd: error.isAtEnd))
    }
  }
}

private struct PatternReader {
  let dialect: EventPattern.Dialect

  private static let onlyOne = "Only one key allowed in match expression"
  private static let emptyArray = "Empty arrays are not allowed"

  func pattern(_ json: JSONValue) throws(Refusal) -> EventPattern {
    guard let members = json.members else { throw Refusal("Filter is not an object") }
    guard !members.isEmpty else { throw Refusal("Empty objects are not allowed", isAtEnd: true) }
    var fields: [EventPattern.Field] = []
    for (i, member) in members.enumerated() {
      do throws(Refusal) {
        let rule = try rule(member)
        if members[(i + 1)...].contains(where: { $0.name == member.name }) {
          // Of several fields with one name AWS takes the last.
          guard dialect == .rules else { throw Refusal("Path `\(member.name)` cannot be allowed multiple times") }
          continue
        }
        fields.append(EventPattern.Field(name: member.name, rule: rule))
      } catch {
        throw error.below(i)
      }
    }
    return EventPattern(fields: fields)
  }

  private func rule(_ member: JSONValue.Member) throws(Refusal) -> EventPattern.Rule {
    switch member.value {
    case .object: return .fields(try pattern(member.value))
    case .array(let elements):
      if member.name == "$or", let either = try alternatives(elements) { return .either(either) }
      guard !elements.isEmpty else { throw Refusal(PatternReader.emptyArray, isAtEnd: true) }
      return .leaf(try each(elements) { (element) throws(Refusal) in try match(element) })
    default: throw Refusal("\"\(member.name)\" must be an object or an array")
    }
  }

  /// Reads the elements of a list, and says which one was wrong.
  private func each<T>(
    _ elements: [JSONValue], _ read: (JSONValue) throws(Refusal) -> T
  ) throws(Refusal) -> [T] {
    var list: [T] = []
    for (i, element) in elements.enumerated() {
      do throws(Refusal) { list.append(try read(element)) } catch { throw error.below(i) }
    }
    return list
  }

  /// nil if it is a field of that name instead: a single alternative is none, and match expressions are none either.
  private func alternatives(_ elements: [JSONValue]) throws(Refusal) -> [EventPattern]? {
    guard elements.count > 1 else { return nil }
    if dialect == .filters {
      let patterns = elements.compactMap { try? pattern($0) }
      return patterns.count == elements.count ? patterns : nil
    }
    let isField = elements.contains { element in
      guard let members = element.members, !members.isEmpty else { return true }
      return members.contains { PatternReader.operators.contains($0.name) }
    }
    return isField ? nil : try each(elements) { (element) throws(Refusal) in try pattern(element) }
  }

  private static let operators: Set<String> = [
    "exactly", "prefix", "suffix", "exists", "numeric", "anything-but", "equals-ignore-case", "wildcard", "cidr",
  ]

  // MARK: - Matches

  /// One element of a leaf's list.
  private func match(_ value: JSONValue) throws(Refusal) -> EventPattern.Match {
    switch value {
    case .null, .bool, .integer, .double, .string: return .equals(value)
    case .array: throw Refusal("Match value must be String, number, true, false, or null")
    case .object(let members):
      guard let first = members.first else { throw Refusal("Match expression name not found", isAtEnd: true) }
      let match: EventPattern.Match
      do throws(Refusal) { match = try operation(first.name, first.value) } catch { throw error.below(0) }
      guard members.count == 1 else { throw Refusal(PatternReader.onlyOne).below(1) }
      return match
    }
  }

  private func operation(_ name: String, _ value: JSONValue) throws(Refusal) -> EventPattern.Match {
    switch name {
    case "exactly" where dialect == .rules: return .equals(.string(try text(value, "exact")))
    case "equals-ignore-case": return .equalsIgnoringCase(try text(value, name).lowercased())
    case "prefix", "suffix": return try affix(name, value)
    case "exists":
      guard let flag = value.bool else { throw Refusal("exists match pattern must be either true or false.") }
      return .exists(flag)
    case "numeric": return .numeric(try comparisons(value))
    case "anything-but": return try anythingBut(value)
    case "wildcard" where dialect == .rules: return .wildcard(try wildcard(try text(value, name)))
    case "cidr" where dialect == .rules:
      let range = try text(value, name)
      do throws(AddressRange.Flaw) {
        return .cidr(try AddressRange(range))
      } catch {
        throw Refusal(error.reason)
      }
    default: throw Refusal("Unrecognized match type \(name)")
    }
  }

  private func text(_ value: JSONValue, _ name: String) throws(Refusal) -> String {
    guard let text = value.string else { throw Refusal("\(name) match pattern must be a string") }
    return text
  }

  private func wildcard(_ text: String) throws(Refusal) -> Wildcard {
    do throws(Wildcard.Flaw) { return try Wildcard(text) } catch { throw Refusal(error.reason) }
  }

  /// A string, or `{"equals-ignore-case": string}`.
  private func affix(_ name: String, _ value: JSONValue) throws(Refusal) -> EventPattern.Match {
    var word = value
    if let members = value.members {
      guard let first = members.first else { throw Refusal("\(name) expression name not found", isAtEnd: true) }
      guard first.name == "equals-ignore-case" else {
        throw Refusal("Unsupported \(name) pattern: \(first.name)").below(0)
      }
      guard first.value.string != nil else {
        throw Refusal("equals-ignore-case match pattern must be a string").below(0)
      }
      guard members.count == 1 else { throw Refusal(PatternReader.onlyOne).below(1) }
      word = .string(first.value.string?.lowercased() ?? "")
    }
    let text = try text(word, name)
    return name == "prefix"
      ? .prefix(text, ignoringCase: value.members != nil) : .suffix(text, ignoringCase: value.members != nil)
  }

  // MARK: - Numbers

  private func comparisons(_ value: JSONValue) throws(Refusal) -> [EventPattern.Comparison] {
    guard let list = value.array else { throw Refusal("Value of numeric must be an array.") }
    guard let first = list.first else { throw Refusal("Invalid member in numeric match: ]", isAtEnd: true) }
    guard let sign = first.string else { throw Refusal("Invalid member in numeric match: \(first.text)").below(0) }
    let lower = try comparison(list, 0, unknown: "Unrecognized numeric range operator: \(sign)")
    if list.count == 2 { return [lower] }
    // AWS's rules demand the lower bound first; its filters do not.
    guard lower.sign != .equal, dialect == .filters || lower.sign.isLower else {
      throw Refusal("Too many elements in numeric expression").below(2)
    }
    guard let next = list[2].string else { throw Refusal("Bad value in numeric range: \(list[2].text)").below(2) }
    let bad = "Bad numeric range operator: \(next)"
    let upper = try comparison(list, 2, unknown: bad)
    guard upper.sign.isUpper && lower.sign.isLower || upper.sign.isLower && lower.sign.isUpper else {
      throw Refusal(bad).below(2)
    }
    guard list.count == 4 else { throw Refusal("Too many terms in numeric range expression").below(4) }
    let (low, high) = lower.sign.isLower ? (lower, upper) : (upper, lower)
    guard low.value < high.value else { throw Refusal("Bottom must be less than top", isAtEnd: true) }
    return [lower, upper]
  }

  /// The sign at a position, and the number behind it.
  private func comparison(
    _ list: [JSONValue], _ position: Int, unknown: String
  ) throws(Refusal) -> EventPattern.Comparison {
    let sign = list[position].string.flatMap { EventPattern.Comparison.Sign(rawValue: $0) }
    guard let sign else { throw Refusal(unknown).below(position) }
    let name = sign == .equal ? "equals" : sign.rawValue
    guard position + 1 < list.count else { throw Refusal("Value of \(name) must be numeric", isAtEnd: true) }
    guard let value = list[position + 1].number else {
      throw Refusal("Value of \(name) must be numeric").below(position + 1)
    }
    guard dialect == .filters || abs(value) <= PatternReader.largestNumber else {
      throw Refusal("Value must be between -5.0E9 and 5.0E9, inclusive").below(position + 1)
    }
    return EventPattern.Comparison(sign: sign, value: value)
  }

  private static let largestNumber = 5e9

  // MARK: - anything-but

  private func anythingBut(_ value: JSONValue) throws(Refusal) -> EventPattern.Match {
    switch value {
    case .string, .integer, .double: return .anythingBut([value])
    case .array(let list):
      guard !list.isEmpty else { throw Refusal(PatternReader.emptyArray, isAtEnd: true) }
      for (i, element) in list.enumerated() {
        guard element.string != nil || element.number != nil else {
          throw Refusal("Inside anything but list, start|null|boolean is not supported.").below(i)
        }
        guard (element.string == nil) == (list[0].string == nil) else {
          throw Refusal(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
          ).below(i)
        }
      }
      return .anythingBut(list)
    case .object(let members):
      guard let first = members.first else { throw Refusal("Anything-But expression name not found", isAtEnd: true) }
      let matches: [EventPattern.Match]
      do throws(Refusal) { matches = try excepted(first.name, first.value) } catch { throw error.below(0) }
      guard members.count == 1 else { throw Refusal(PatternReader.onlyOne).below(1) }
      return .anythingButAny(matches)
    case .null, .bool: throw Refusal("Value of anything-but must be an array or single string/number value.")
    }
  }

  /// `{"prefix": …}` and the like within `anything-but`: a text, or several in rules.
  private func excepted(_ name: String, _ value: JSONValue) throws(Refusal) -> [EventPattern.Match] {
    let isWildcard = name == "wildcard" && dialect == .rules
    guard ["prefix", "suffix", "equals-ignore-case"].contains(name) || isWildcard else {
      throw Refusal("Unsupported anything-but pattern: \(name)")
    }
    guard dialect == .rules else { return [try operation(name, value)] }
    if let list = value.array {
      guard !list.isEmpty else { throw Refusal(PatternReader.emptyArray, isAtEnd: true) }
      return try each(list) { (element) throws(Refusal) in try exception(name, element) }
    }
    return [try exception(name, value)]
  }

  private func exception(_ name: String, _ value: JSONValue) throws(Refusal) -> EventPattern.Match {
    if name == "prefix" || name == "suffix", value.string == "" { throw Refusal("Null prefix/suffix not allowed") }
    return try operation(name, value)
  }
}
