// What STS hands out: a key with an end, and the token that says whose it is.
import MartletCore

package struct TemporaryCredentials: Sendable, Equatable {
  /// `ASIA…`
  package let accessKeyID: String
  package let secretAccessKey: String
  package let sessionToken: String
  package let expiration: Timestamp

  package init(accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Timestamp) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }

  /// As the SDKs expect them from a container's endpoint.
  package func writeContainer(to w: inout MemberWriter) {
    w.member("AccessKeyId", accessKeyID)
    w.member("SecretAccessKey", secretAccessKey)
    w.member("Token", sessionToken)
    w.member("Expiration", expiration.iso8601Seconds)
  }

  package func write(to w: inout MemberWriter) {
    w.object("Credentials") { w in
      w.member("AccessKeyId", accessKeyID)
      w.member("SecretAccessKey", secretAccessKey)
      w.member("SessionToken", sessionToken)
      w.moment("Expiration", expiration)
    }
  }
}

/// Whom credentials stand for.
package struct Identity: Sendable, Equatable {
  package let account: Account
  /// Of a user, an assumed role, a federated user or the account's root.
  package let arn: String
  /// `AIDA…`, `AROA…:session`, or the account.
  package let id: String

  package init(account: Account, arn: String, id: String) {
    self.account = account
    self.arn = arn
    self.id = id
  }

  package static func root(_ account: Account) -> Identity {
    Identity(account: account, arn: "arn:aws:iam::\(account):root", id: account.id)
  }

  /// The name at the end of the ARN if this is a user.
  package var userName: String? {
    guard let resource = ARN(arn)?.resource, resource.hasPrefix("user/") else { return nil }
    return resource.split(separator: "/").last.map(String.init)
  }

  package var isRoot: Bool { id == account.id }
  package var isSession: Bool { arn.hasPrefix("arn:aws:sts:") }
}
