// DeleteSamplingRule: a rule goes.
// https://docs.aws.amazon.com/xray/latest/api/API_DeleteSamplingRule.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension XRay {
  enum DeleteSamplingRule: Operation {
    static let route = Route.rest("XRay.DeleteSamplingRule", .post, "/DeleteSamplingRule")

    struct Input: Readable {
      let rule: SamplingRuleReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        rule = SamplingRuleReference(name: m.string("RuleName"), arn: m.string("RuleARN"))
      }
    }

    typealias Output = CreateSamplingRule.Output

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let name = try input.rule.name(in: call)
      guard name != SamplingRule.standard else { throw .xrayDefaultRule("cannot be deleted") }
      let key = ResourceKey(place: call.place, name: name)
      let rule = try await xray.rules.change(key) { record throws(AWSError) -> SamplingRule in
        guard let rule = record else { throw .xrayNoRule() }
        record = nil
        return rule
      }
      xray.sampling.withLock { $0.forget(key) }
      return Output(rule: rule)
    }
  }
}
