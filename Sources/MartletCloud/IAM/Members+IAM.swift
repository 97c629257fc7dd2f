// The members that many of IAM's operations have.
import MartletCore
import MartletWire

extension Members {
  /// The name of a thing, `RoleName` for roles.
  /// - Parameter longest: where it is not the length that a new thing's name may have.
  func iamName(of noun: IAMNoun, longest: Int? = nil) -> String {
    iamName("\(noun.title)Name", longest: longest ?? noun.longest)
  }

  /// - Parameter isPolicy: paths of policies have fewer characters.
  func iamPath(_ name: String = "Path", isPolicy: Bool = false) -> String? {
    guard let path = string(name, .length(1, 512)) else { return nil }
    if !IAMPath.isWhole(path) || (isPolicy && !IAMPath.isPlain(path)) { refuse(.invalidPath(Reader.lowerCamel(name))) }
    return path
  }

  /// What paths shall begin with.
  func iamPathPrefix() -> String {
    guard let path = string("PathPrefix", .length(1, 512)) else { return "/" }
    if !path.hasPrefix("/") || !path.utf8.allSatisfy({ (0x21...0x7f).contains($0) }) { refuse(.invalidPathPrefix()) }
    return path
  }

  func policyDocument(_ name: String = "PolicyDocument") -> String {
    required(name, .length(1, 131_072), .pattern(Pattern(#"[\u0009\u000A\u000D\u0020-\u00FF]+"#)))
  }

  func policyARN(_ name: String = "PolicyArn") -> String { required(name, .length(20, 2048)) }

  func iamDescription(isRequired: Bool = false) -> String? {
    let constraint = Constraint.pattern(Pattern(#"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*"#))
    if isRequired { return required("Description", .length(nil, 1000), constraint) }
    return string("Description", .length(nil, 1000), constraint)
  }

  func iamTags(isRequired: Bool = false) -> [IAMTag] {
    let list = isRequired ? requiredObjects("Tags", count: 0...50) : objects("Tags", count: 0...50) ?? []
    let tags = list.map { tag in
      IAMTag(
        key: tag.required("Key", .length(1, 128), .pattern(STS.tagKeyPattern)),
        value: tag.required("Value", .length(0, 256), .pattern(STS.tagValuePattern)))
    }
    if Set(tags.map { $0.key.lowercased() }).count < tags.count { refuse(.duplicateTags()) }
    if tags.contains(where: { $0.key.lowercased().hasPrefix("aws:") }) { refuse(.systemTags()) }
    return tags
  }

  func iamTagKeys() -> [String] {
    let constraints: [Constraint] = [.length(1, 128), .pattern(STS.tagKeyPattern)]
    return requiredStrings("TagKeys", count: 0...50, each: constraints)
  }
}

enum IAMPath {
  /// True for `/` and for `/a/b/`.
  static func isWhole(_ path: String) -> Bool {
    path.hasPrefix("/") && path.hasSuffix("/") && path.utf8.allSatisfy { (0x21...0x7e).contains($0) }
      && !path.contains("//")
  }

  /// True if there is nothing in it but letters, digits and `.,+@=_-/`.
  static func isPlain(_ path: String) -> Bool {
    path.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      default: ".,+@=_-/".utf8.contains(byte)
      }
    }
  }
}
