// PutFunctionScalingConfig: says how many environments a version has on its capacity provider; nothing = by default.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionScalingConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutFunctionScalingConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutFunctionScalingConfig", .put, "/2025-11-30/functions/{FunctionName}/function-scaling-config",
      status: 202)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String
      let config: FunctionScalingConfig?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.unqualified)
        qualifier = r.scalingQualifier()
        config = try r.smallBody("PutFunctionScalingConfig").object("FunctionScalingConfig")
          .map(FunctionScalingConfig.init)
      }
    }

    struct Output: Writable {
      let state: FunctionState

      func write(to w: inout Writer) { w.body { $0.member("FunctionState", state.rawValue) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.function(input.name, call).key
      return try await lambda.functions.update(key) { (record: inout FunctionRecord) throws(AWSError) -> Output in
        let version = try record.scalable(input.qualifier)
        try input.config?.check()
        record.scalingConfigs[version.version.description] = input.config
        return Output(state: version.state)
      }
    }
  }
}
