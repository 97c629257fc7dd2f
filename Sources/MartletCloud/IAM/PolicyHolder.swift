// Roles, users and groups: what policies are put into and attached to.
import MartletCore
import MartletWire

/// A policy that lives in its holder.
struct InlinePolicy: Sendable {
  let name: String
  let document: String
}

struct HeldPolicies: Sendable {
  /// In the order of their names.
  private(set) var inline: [InlinePolicy] = []
  /// ARNs of managed policies, in the order of their attachment.
  var attached: [String] = []
  /// ARN of the managed policy that bounds the holder.
  var boundary: String?

  init() {}

  func inline(_ name: String) -> InlinePolicy? { inline.first { $0.name == name } }

  mutating func put(_ policy: InlinePolicy) {
    inline.removeAll { $0.name == policy.name }
    inline.append(policy)
    inline.sort { $0.name < $1.name }
  }

  mutating func remove(_ name: String) { inline.removeAll { $0.name == name } }

  var json: JSONValue {
    .members(
      (
        "inline",
        .array(inline.map { .members(("name", .string($0.name)), ("document", .string($0.document))) })
      ),
      ("attached", .array(attached.map { .string($0) })), ("boundary", boundary.map { .string($0) }))
  }

  init(json: JSONValue?) {
    inline = (json?["inline"]?.array ?? []).map {
      InlinePolicy(name: $0["name"]?.string ?? "", document: $0["document"]?.string ?? "")
    }
    attached = (json?["attached"]?.array ?? []).compactMap(\.string)
    boundary = json?["boundary"]?.string
  }

  func writeBoundary(to w: inout MemberWriter) {
    guard let boundary else { return }
    w.object("PermissionsBoundary") { w in
      w.member("PermissionsBoundaryType", "Policy")
      w.member("PermissionsBoundaryArn", boundary)
    }
  }
}

protocol PolicyHolder: IAMResource {
  var policies: HeldPolicies { get set }
  /// Characters that all its inline policies may have together.
  static func inlineLimit(_ limits: IAMLimits) -> Int
  /// Refuses what only AWS itself may change.
  func requireModifiable() throws(AWSError)
}

extension PolicyHolder {
  func requireModifiable() throws(AWSError) {}
}
