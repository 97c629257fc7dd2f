// The role of a function: IAM is asked whether Lambda may assume it.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
import MartletCore
import MartletWire

extension LambdaService {
  /// A role that the account has must admit Lambda by its trust policy. A role that the account does not have is taken
  /// as it is, so that functions need no IAM around them (docs/iam.md).
  /// - Parameter role: the ARN of the role; nil asks for nothing.
  /// - Throws: InvalidParameterValueException.
  func requireAssumable(_ role: String?, by function: String, _ call: Call) async throws(AWSError) {
    guard let role, ARN(role)?.account == call.place.account.id, door.isOffered(IAM.GetRole.self),
      let name = role.split(separator: "/").last.map(String.init)
    else { return }
    let asLambda = call.by("lambda.amazonaws.com")
    let found: IAM.GetRole.Output
    do throws(AWSError) {
      found = try await door.call(IAM.GetRole.self, .init(role: name), asLambda)
    } catch {
      if error.code == "NoSuchEntity" { return }
      throw error
    }
    do throws(AWSError) {
      _ = try await door.call(STS.AssumeRole.self, .init(role: found.arn, session: function), asLambda)
    } catch {
      throw error.code == "AccessDenied" ? .roleNotAssumable() : error
    }
  }
}
