// GetFunctionEventInvokeConfig: how asynchronous invocations of a function, a version or an alias are retried.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionEventInvokeConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionEventInvokeConfig", .get, "/2019-09-25/functions/{FunctionName}/event-invoke-config")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    typealias Output = EventInvokeOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: input.qualifier, call)
      let (key, qualifier) = (reference.key, EventInvokeConfig.key(reference))
      guard let config = lambda.functions.find(key)?.eventInvokeConfigs[qualifier] else {
        throw .noEventInvokeConfig(FunctionReference(key: key, qualifier: qualifier).arn)
      }
      return Output(key: key, qualifier: qualifier, config: config)
    }
  }
}
