// The table of the service: every operation of AWS's model, one row each, in the order of their names.
import MartletWire

extension STSService {
  /// The API's version, which clients send as `Version`.
  package static let version = "2011-06-15"
  package static let namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

  package static let rows: [OperationRow<STSService>] = [
    .init(STS.AssumeRole.self),
    .init(missing: .query("STS.AssumeRoleWithSAML")),
    .init(STS.AssumeRoleWithWebIdentity.self),
    .init(missing: .query("STS.AssumeRoot")),
    .init(STS.DecodeAuthorizationMessage.self),
    .init(STS.GetAccessKeyInfo.self),
    .init(STS.GetCallerIdentity.self),
    .init(missing: .query("STS.GetDelegatedAccessToken")),
    .init(STS.GetFederationToken.self),
    .init(STS.GetSessionToken.self),
    .init(missing: .query("STS.GetWebIdentityToken")),
  ]
}
