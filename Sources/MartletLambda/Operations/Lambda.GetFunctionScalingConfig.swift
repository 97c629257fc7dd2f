// GetFunctionScalingConfig: how many environments a version has on its capacity provider.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionScalingConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionScalingConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionScalingConfig", .get, "/2025-11-30/functions/{FunctionName}/function-scaling-config")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.unqualified)
        qualifier = r.scalingQualifier()
      }
    }

    struct Output: Writable {
      let arn: String
      let config: FunctionScalingConfig?

      func write(to w: inout Writer) {
        w.body {
          $0.member("FunctionArn", arn)
          $0.member("AppliedFunctionScalingConfig", config?.json)
          $0.member("RequestedFunctionScalingConfig", config?.json)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let record = try lambda.record(lambda.function(input.name, call))
      let version = try record.scalable(input.qualifier)
      return Output(arn: version.qualifiedARN, config: record.scalingConfigs[version.version.description])
    }
  }
}
