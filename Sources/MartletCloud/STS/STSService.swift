// AWS Security Token Service: hands out temporary credentials and says who somebody is.
import MartletCore
import MartletStore
import MartletWire

package struct STSService: Sendable {
  let iam: IAMService
  let world: any World

  package init(iam: IAMService, world: any World) {
    self.iam = iam
    self.world = world
  }

  /// Seconds that the credentials of an account's root last at most.
  static let longestForRoot = 3600
  /// Seconds that a role's credentials last at most if they were got with a role's credentials.
  static let longestInChain = 3600
  /// Characters that session policies may have together.
  static let policyRoom = 2048

  /// The credentials and the identity of a session of a role.
  /// - Parameter role: the ARN as it was given.
  func session(of role: IAMRole, named session: String, seconds: Int) -> (TemporaryCredentials, Identity) {
    let account = role.key.place.account
    let identity = Identity(
      account: account, arn: "arn:aws:sts::\(account):assumed-role/\(role.entity.name)/\(session)",
      id: "\(role.entity.id):\(session)")
    return (iam.credentials.issue(identity, seconds: seconds), identity)
  }

  /// - Throws: AccessDenied if there is no such role, as to everybody who may not assume it.
  func role(_ arn: String, action: String, _ call: Call) throws(AWSError) -> IAMRole {
    guard let parsed = ARN(arn), parsed.service == "iam", parsed.resource.hasPrefix("role/") else {
      throw .stsInvalidARN(arn)
    }
    guard let account = Account(parsed.account), let name = parsed.resource.split(separator: "/").last,
      let role = iam.roles.find(ResourceKey(place: IAMService.place(account), name: name.lowercased())),
      role.arn == arn
    else { throw .notAuthorized(call, action: action, on: arn) }
    return role
  }

  /// How many seconds a session of a role lasts.
  static func seconds(_ asked: Int?, role: IAMRole, isChained: Bool) throws(AWSError) -> Int {
    let seconds = asked ?? 3600
    guard seconds <= role.longestSession else { throw .sessionTooLongForRole() }
    guard !isChained || seconds <= longestInChain else { throw .sessionTooLongInChain() }
    return seconds
  }

  /// Checks the policies that narrow a session.
  /// - Returns: percent of their room that they take; nil if there are none.
  static func packedSize(_ policy: String?, _ arns: [String]) throws(AWSError) -> Int? {
    if let policy { _ = try PolicyDocument(parsing: policy, for: .identity) }
    let size = (policy?.charactersWithoutSpace ?? 0) + arns.reduce(0) { $0 + $1.count }
    guard size > 0 else { return nil }
    guard size <= policyRoom, arns.count <= 10 else { throw .packedPolicyTooLarge(size * 100 / policyRoom) }
    return max(1, size * 100 / policyRoom)
  }
}
