// UpdateFunctionEventInvokeConfig: changes some of how asynchronous invocations are retried.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum UpdateFunctionEventInvokeConfig: Operation {
    static let route = Route.rest(
      "Lambda.UpdateFunctionEventInvokeConfig", .post, "/2019-09-25/functions/{FunctionName}/event-invoke-config")

    struct Input: Readable {
      let invoke: EventInvokeInput

      init(_ r: Reader) throws(AWSError) { invoke = try EventInvokeInput(r, "UpdateFunctionEventInvokeConfig") }
    }

    typealias Output = EventInvokeOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let request = input.invoke.request
      return try await lambda.changeEventInvoke(input.invoke, call) {
        (before, arn, now) throws(AWSError) -> EventInvokeConfig in
        guard let before else { throw .noEventInvokeConfig(arn) }
        return request.changing(before, at: now)
      }
    }
  }
}
