// GetResourcePolicy: the whole policy document of a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetResourcePolicy.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetResourcePolicy: Operation {
    static let route = Route.rest("Lambda.GetResourcePolicy", .get, "/2026-07-09/resource-policy/{ResourceArn}")

    struct Input: Readable {
      let resource: String

      init(_ r: Reader) throws(AWSError) { resource = r.policyResource() }
    }

    typealias Output = PolicyOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      try lambda.policy(lambda.policyTarget(input.resource, call))
    }
  }
}
