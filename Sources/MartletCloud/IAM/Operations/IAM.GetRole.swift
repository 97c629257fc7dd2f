// GetRole: a role with its trust policy. What goes in and out is in MartletWire/Calls, because other services call it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
import MartletCore
import MartletWire

extension IAM.GetRole: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ iam: IAMService
  ) async throws(AWSError) -> Output {
    let role = try iam.find(IAMRole.self, input.role, call)
    return Output(arn: role.arn, id: role.entity.id) { role.write(to: &$0) }
  }
}
