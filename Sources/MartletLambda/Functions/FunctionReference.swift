// The ways in which a caller names a function: name, partial ARN, full ARN, each with or without a qualifier.
import MartletCore
import MartletWire

/// A parsed `FunctionName`, with the `Qualifier` that came beside it or inside it.
package struct FunctionReference: Sendable, Hashable {
  package let key: FunctionKey
  /// As the caller gave it: `$LATEST`, a number, an alias; nil if none.
  package let qualifier: String?

  package init(key: FunctionKey, qualifier: String?) {
    self.key = key
    self.qualifier = qualifier
  }

  /// The ARN that the caller meant, which error messages show.
  package var arn: String {
    let (region, account) = (key.place.region.name, key.place.account.id)
    let size = 64 + region.utf8.count + account.utf8.count + key.name.utf8.count + (qualifier?.utf8.count ?? 0)
    // Every invocation passes here, so it goes over bytes.
    return String(capacity: size) { text in
      text.write("arn:aws:lambda:")
      text.write(text: region)
      text.write(":")
      text.write(text: account)
      text.write(":function:")
      text.write(text: key.name)
      if let qualifier {
        text.write(":")
        text.write(text: qualifier)
      }
    }
  }

  package var unqualifiedARN: String {
    ARN(service: "lambda", place: key.place, resource: "function:\(key.name)").description
  }

  /// The pattern that the service model has for names of existing functions, shown in errors.
  package static let pattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"#
  )
  /// The same where dots and `$LATEST.PUBLISHED` have no place, as in CreateFunction.
  package static let creationPattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"#
  )
  /// The same where a version or an alias has no place.
  static let unqualifiedPattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)"#
  )
  /// The same where an alias has a place, and a version has none.
  static let aliasPattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\d+$)[0-9a-zA-Z-_]+))?"#
  )
  static let qualifierPattern = Pattern(#"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"#)
}

/// A `FunctionName` as it was sent, taken apart; what it means depends on the caller's place (`resolve`).
package struct FunctionNameParts: Sendable, Equatable {
  package let region: String?
  package let account: String?
  package let name: String
  package let qualifier: String?

  /// Follows the model's pattern without a regular expression, because every invocation passes here; nil if the text
  /// does not match it (FunctionNamePropertyTests compares the two).
  package init?(_ text: String) {
    if !text.isEmpty, text.withBytes({ $0.allSatisfy(FunctionNameParts.isNameByte) }) {
      // Nothing but a name, as nearly always.
      (region, account, name, qualifier) = (nil, nil, text, nil)
      return
    }
    var rest = text.split(separator: ":", omittingEmptySubsequences: false)[...]
    var region: String?
    var account: String?
    if rest.count >= 3, rest.first == "arn" {
      let partition = rest[rest.startIndex + 1]
      guard rest[rest.startIndex + 2] == "lambda",
        partition.isEmpty
          || partition.hasPrefix("aws") && partition.allSatisfy({ $0.isASCII && ($0.isLetter || $0 == "-") })
      else { return nil }
      rest = rest.dropFirst(3)
    }
    // Each of these may be left out, and may be a function's name as well when nothing else is left to be one.
    func mayDrop() -> Bool {
      rest.count > 1 && rest[rest.startIndex + 1].utf8.allSatisfy(FunctionNameParts.isNameByte)
    }
    if mayDrop(), let first = rest.first, FunctionNameParts.isRegion(first) {
      region = String(first)
      rest = rest.dropFirst()
    }
    if mayDrop(), let first = rest.first, Account(first) != nil {
      account = String(first)
      rest = rest.dropFirst()
    }
    if mayDrop(), rest.first == "function" { rest = rest.dropFirst() }
    guard let name = rest.first, !name.isEmpty, rest.count <= 2, name.utf8.allSatisfy(FunctionNameParts.isNameByte)
    else {
      return nil
    }
    var qualifier: String?
    if rest.count == 2, let last = rest.last {
      let plain = last.utf8.allSatisfy { FunctionNameParts.isNameByte($0) && $0 != UInt8(ascii: ".") }
      guard !last.isEmpty, plain || last == "$LATEST" || last == "$LATEST.PUBLISHED" else { return nil }
      qualifier = String(last)
    }
    self.region = region
    self.account = account
    self.name = String(name)
    self.qualifier = qualifier
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
    default: false
    }
  }

  /// `us-east-1`, `us-gov-west-1`, `us-isob-east-1`, `eusc-de-east-1`: two letters, a word, a digit, and what may be
  /// before and between.
  private static func isRegion(_ text: Substring) -> Bool {
    func isWord(_ part: Substring) -> Bool { !part.isEmpty && part.utf8.allSatisfy { (97...122).contains($0) } }
    var parts = text.split(separator: "-", omittingEmptySubsequences: false)[...]
    if parts.first == "eusc" { parts = parts.dropFirst() }
    guard let country = parts.popFirst(), country.utf8.count == 2, isWord(country) else { return false }
    if parts.count == 3, let kind = parts.popFirst() {
      guard kind == "gov" || kind.hasPrefix("iso") && kind.utf8.count <= 4 && isWord(kind) else { return false }
    }
    guard parts.count == 2, let word = parts.first, isWord(word), let digit = parts.last?.utf8, digit.count == 1
    else { return false }
    return digit.allSatisfy { (48...57).contains($0) }
  }

  /// What the parts mean to a caller in `place`.
  /// - Throws: 404 for another region, 403 for another account, 400 if `qualifier` contradicts the one in the name.
  package func resolve(qualifier outer: String?, in place: Place) throws(AWSError) -> FunctionReference {
    if let region, region != place.region.name { throw .unreachableRegion(region, here: place.region) }
    if let account, account != place.account.id {
      throw AWSError(
        "AccessDeniedException", status: 403,
        "User: arn:aws:iam::\(place.account):root is not authorized to perform this operation on resource: "
          + "arn:aws:lambda:\(place.region):\(account):function:\(name) because no resource-based policy allows it",
        type: nil, messageKey: .upper)
    }
    if let inner = qualifier, let outer, inner != outer {
      throw .invalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
    }
    return FunctionReference(key: FunctionKey(place: place, name: name), qualifier: outer ?? qualifier)
  }
}

extension Reader {
  /// Which names the service model allows an operation.
  package enum FunctionNameForm {
    /// Whatever names a function or one of its versions and aliases.
    case any
    /// No dots, and not `$LATEST.PUBLISHED`.
    case plain
    /// Moreover no version and no alias.
    case unqualified
    /// An alias, but no version, and no name that no function can have.
    case alias
  }

  /// Reads the path's `FunctionName`; what is wrong with it is recorded.
  package func functionName(_ form: FunctionNameForm = .any) -> FunctionNameParts? {
    let text = path("FunctionName")
    let parts = FunctionNameParts(text)
    if form == .any, let parts { return parts }
    let pattern =
      switch form {
      case .any: FunctionReference.pattern
      case .plain: FunctionReference.creationPattern
      case .unqualified: FunctionReference.unqualifiedPattern
      case .alias: FunctionReference.aliasPattern
      }
    if let parts, pattern.matches(text) { return parts }
    violate(
      "Value '\(text)' at 'functionName' failed to satisfy constraint: "
        + "Member must satisfy regular expression pattern: \(pattern.text)")
    return nil
  }

  /// Reads the query's `Qualifier`.
  package func qualifier() -> String? {
    guard let text = query("Qualifier") else { return nil }
    // Every invocation passes here, so what is plain to see is not put to a regular expression.
    if text == "$LATEST" || text.utf8.count <= 128 && FunctionNameParts("f:\(text)") != nil { return text }
    check(text, at: "qualifier", [.length(1, 128), .pattern(FunctionReference.qualifierPattern)])
    return text
  }
}
