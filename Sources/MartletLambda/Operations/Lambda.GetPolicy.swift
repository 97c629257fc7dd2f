// GetPolicy: who may use a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetPolicy: Operation {
    static let route = Route.rest("Lambda.GetPolicy", .get, "/2015-03-31/functions/{FunctionName}/policy")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    typealias Output = PolicyOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      try lambda.policy(lambda.reference(input.name, qualifier: input.qualifier, call))
    }
  }
}
