// DeleteFunctionEventInvokeConfig: lets asynchronous invocations be retried as by default.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteFunctionEventInvokeConfig: Operation {
    static let route = Route.rest(
      "Lambda.DeleteFunctionEventInvokeConfig", .delete, "/2019-09-25/functions/{FunctionName}/event-invoke-config",
      status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: input.qualifier, call)
      let (key, qualifier) = (reference.key, EventInvokeConfig.key(reference))
      try await lambda.functions.change(key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard after?.eventInvokeConfigs.removeValue(forKey: qualifier) != nil else {
          throw .noEventInvokeConfig(FunctionReference(key: key, qualifier: qualifier).arn)
        }
      }
      return Empty()
    }
  }
}
