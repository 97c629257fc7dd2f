// Reads a filter policy, and says in AWS's words what is wrong with one.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
import MartletCore
import MartletWire

extension FilterPolicy {
  /// Why a text is no filter policy.
  struct Flaw: Error, Equatable {
    /// Without `Invalid parameter: FilterPolicy: `.
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// Bytes of the text.
  private static let longest = 262_144
  private static let mostNames = 5
  private static let mostCombinations = 150
  /// Names within names.
  private static let deepest = 100
  private static let operators: Set<String> = [
    "exists", "numeric", "prefix", "suffix", "equals-ignore-case", "wildcard", "cidr", "anything-but",
  ]

  init(_ text: String, scope: Scope) throws(Flaw) {
    guard text.utf8.count <= FilterPolicy.longest else { throw Flaw("Filter policy is too long") }
    guard let json = try? JSONValue(parsing: text) else { throw Flaw("failed to parse JSON.") }
    guard let members = json.members else { throw Flaw("Filter is not an object") }
    guard members.count <= FilterPolicy.mostNames else { throw Flaw("Filter policy can not have more than 5 keys") }
    var reader = FilterReader(scope: scope)
    self.scope = scope
    rules = members.isEmpty ? [] : try reader.rules(members, prefix: "", depth: 1)
    guard reader.combinations <= FilterPolicy.mostCombinations else { throw Flaw("Filter policy is too complex") }
  }

  private struct FilterReader {
    let scope: Scope
    /// What AWS counts as complexity: values times depth, multiplied over all names.
    var combinations = 1

    init(scope: Scope) { self.scope = scope }

    mutating func rules(_ members: [JSONValue.Member], prefix: String, depth: Int) throws(Flaw) -> [Rule] {
      guard !members.isEmpty else { throw Flaw("Empty objects are not allowed") }
      guard depth <= deepest else { throw Flaw("Filter policy is too complex") }
      var rules: [Rule] = []
      for member in members {
        switch member.value {
        case .object(let inner):
          guard scope == .body else {
            throw Flaw("Filter policy scope MessageAttributes does not support nested filter policy")
          }
          rules += try self.rules(inner, prefix: "\(prefix)\(member.name).", depth: depth + 1)
        case .array(let elements):
          if let alternatives = FilterReader.alternatives(member) {
            rules.append(try either(alternatives, prefix: prefix, depth: depth))
            continue
          }
          guard !elements.isEmpty else { throw Flaw("Empty arrays are not allowed") }
          var matches: [Match] = []
          for element in elements { matches.append(try FilterReader.match(element)) }
          multiply(by: elements.count * depth)
          rules.append(.field(prefix + member.name, matches))
        default: throw Flaw("\"\(member.name)\" must be an object or an array")
        }
      }
      return rules
    }

    private mutating func multiply(by factor: Int) {
      combinations = min(combinations * factor, mostCombinations + 1)
    }

    /// The objects of `$or`, if it means that and is no name: two of them at least, whose names are no operators.
    private static func alternatives(_ member: JSONValue.Member) -> [[JSONValue.Member]]? {
      guard member.name == "$or", let elements = member.value.array, elements.count > 1 else { return nil }
      let objects = elements.compactMap(\.members)
      guard objects.count == elements.count,
        objects.allSatisfy({ object in !object.isEmpty && !object.contains { operators.contains($0.name) } })
      else { return nil }
      return objects
    }

    /// The combinations of the alternatives add up.
    private mutating func either(
      _ alternatives: [[JSONValue.Member]], prefix: String, depth: Int
    ) throws(Flaw) -> Rule {
      let before = combinations
      var sum = 0
      var found: [[Rule]] = []
      for alternative in alternatives {
        combinations = before
        found.append(try rules(alternative, prefix: prefix, depth: depth))
        sum += combinations
      }
      combinations = min(sum, mostCombinations + 1)
      return .either(found)
    }

    // MARK: - One value

    private static func match(_ value: JSONValue) throws(Flaw) -> Match {
      switch value {
      case .null, .bool, .integer, .double, .string: return .equals(value)
      case .array: throw Flaw("Match value must be String, number, true, false, or null")
      case .object(let members):
        guard members.count == 1, let member = members.first else {
          throw Flaw("Only one key allowed in match expression")
        }
        return try operation(member.name, member.value)
      }
    }

    private static func operation(_ name: String, _ value: JSONValue) throws(Flaw) -> Match {
      switch name {
      case "exists":
        guard let flag = value.bool else { throw Flaw("exists match pattern must be either true or false.") }
        return .exists(flag)
      case "numeric": return .numeric(try comparisons(value))
      case "cidr": return .cidr(try block(value))
      case "anything-but": return try anythingBut(value)
      case "prefix", "suffix", "equals-ignore-case", "wildcard": return .text(try text(name, value))
      default: throw Flaw("Unrecognized match type \(name)")
      }
    }

    private static func text(_ name: String, _ value: JSONValue) throws(Flaw) -> Text {
      guard let text = value.string else { throw Flaw("\(name) match pattern must be a string") }
      switch name {
      case "prefix": return .prefix(text)
      case "suffix": return .suffix(text)
      case "equals-ignore-case": return .ignoringCase(text.lowercased())
      default:
        do throws(MartletWire.Wildcard.Flaw) {
          return .wildcard(try MartletWire.Wildcard(text))
        } catch {
          throw Flaw(error.reason)
        }
      }
    }

    private static func block(_ value: JSONValue) throws(Flaw) -> AddressRange {
      guard let text = value.string else { throw Flaw("prefix match pattern must be a string") }
      do throws(AddressRange.Flaw) { return try AddressRange(text) } catch { throw Flaw(error.reason) }
    }

    private static func anythingBut(_ value: JSONValue) throws(Flaw) -> Match {
      switch value {
      case .string, .integer, .double: return .anythingBut([value])
      case .array(let list):
        guard !list.isEmpty else { throw Flaw("Empty arrays are not allowed") }
        guard list.allSatisfy({ $0.string != nil }) || list.allSatisfy({ $0.number != nil }) else {
          throw Flaw(
            "Inside anything but list, either all values are number or string, mixed type is not supported")
        }
        return .anythingBut(list)
      case .object(let members):
        guard members.count == 1, let member = members.first else {
          throw Flaw("Only one key allowed in match expression")
        }
        guard ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(member.name) else {
          throw Flaw("Unsupported anything-but pattern: \(member.name)")
        }
        guard let list = member.value.array else { return .anythingButText([try text(member.name, member.value)]) }
        guard !list.isEmpty else { throw Flaw("Empty arrays are not allowed") }
        var texts: [Text] = []
        for element in list { texts.append(try text(member.name, element)) }
        return .anythingButText(texts)
      case .null, .bool: throw Flaw("Value of anything-but must be an array or single string/number value.")
      }
    }

    /// `["=", 1]`, or a lower bound and then an upper one.
    private static func comparisons(_ value: JSONValue) throws(Flaw) -> [Comparison] {
      guard let list = value.array else { throw Flaw("Value of numeric must be an array.") }
      guard let first = list.first else { throw Flaw("Invalid member in numeric match: ]") }
      guard let sign = first.string else { throw Flaw("Invalid member in numeric match: \(first.text)") }
      guard let lower = Comparison.Sign(rawValue: sign) else {
        throw Flaw("Unrecognized numeric range operator: \(sign)")
      }
      guard list.count > 1, let bottom = list[1].number else {
        throw Flaw("Value of \(lower == .equal ? "equals" : sign) must be numeric")
      }
      guard list.count > 2 else { return [Comparison(sign: lower, value: bottom)] }
      guard lower == .greater || lower == .greaterOrEqual else {
        throw Flaw("Too many elements in numeric expression")
      }
      guard let second = list[2].string else { throw Flaw("Bad value in numeric range: \(list[2].text)") }
      guard let upper = Comparison.Sign(rawValue: second), upper == .less || upper == .lessOrEqual else {
        throw Flaw("Bad numeric range operator: \(second)")
      }
      guard list.count > 3, let top = list[3].number else { throw Flaw("Value of \(second) must be numeric") }
      guard top > bottom else { throw Flaw("Bottom must be less than top") }
      guard list.count == 4 else { throw Flaw("Too many terms in numeric range expression") }
      return [Comparison(sign: lower, value: bottom), Comparison(sign: upper, value: top)]
    }
  }
}
