// AssumeRole: credentials of a role. What goes in and out is in MartletWire/Calls, because other services call it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
import MartletCore
import MartletWire

extension STS.AssumeRole: Operation {
  /// A service must be admitted by the role's trust policy. Other callers are not refused because of policies yet
  /// (docs/iam.md); nobody gets credentials of a role that does not exist.
  package static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
    let role = try sts.role(input.role, action: "sts:AssumeRole", call)
    if case .service(let name) = call.caller {
      guard try PolicyDocument(parsing: role.trust, for: .trust).admits(service: name) else {
        throw .notAuthorized(call, action: "sts:AssumeRole", on: input.role)
      }
    }
    let seconds = try STSService.seconds(input.duration, role: role, isChained: call.identity.isSession)
    let packed = try STSService.packedSize(input.policy, input.policies)
    let (credentials, identity) = sts.session(of: role, named: input.session, seconds: seconds)
    return Output(
      credentials: credentials, identity: identity, sourceIdentity: input.sourceIdentity, packedPolicySize: packed)
  }
}
