// CreateSamplingRule: a rule of one's own.
// https://docs.aws.amazon.com/xray/latest/api/API_CreateSamplingRule.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum CreateSamplingRule: Operation {
    static let route = Route.rest("XRay.CreateSamplingRule", .post, "/CreateSamplingRule")

    struct Input: Readable {
      let name: String?
      let arn: String?
      let settings: SamplingRule.Settings
      let tags: [XRayTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        var settings = SamplingRule.Settings()
        var reference: (name: String?, arn: String?)
        if let rule = m.requiredObject("SamplingRule") {
          reference = (rule.string("RuleName", .length(1, 32)), rule.string("RuleARN"))
          settings.resourceARN = rule.required("ResourceARN", .length(nil, 500))
          settings.priority = rule.requiredInteger("Priority", in: 1...9999)
          settings.fixedRate = rule.requiredNumber("FixedRate", in: 0...1)
          settings.reservoir = rule.requiredInteger("ReservoirSize", in: 0...Int.max)
          settings.serviceName = rule.required("ServiceName", .length(nil, 64))
          settings.serviceType = rule.required("ServiceType", .length(nil, 64))
          settings.host = rule.required("Host", .length(nil, 64))
          settings.method = rule.required("HTTPMethod", .length(nil, 10))
          settings.path = rule.required("URLPath", .length(nil, 128))
          settings.version = rule.requiredInteger("Version", in: 1...Int.max)
          settings.attributes = rule.samplingAttributes() ?? []
          settings.boost = rule.samplingBoost()
        }
        (name, arn) = reference
        self.settings = settings
        tags = m.xrayTags()
      }
    }

    struct Output: Writable {
      let rule: SamplingRule
      func write(to w: inout Writer) {
        w.body { $0.object("SamplingRuleRecord") { rule.write(to: &$0) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      guard let name = input.name, input.arn == nil else { throw .xrayNeedsRule() }
      guard input.settings.version == 1 else { throw .xrayInvalidRule("Version must be 1") }
      guard name != SamplingRule.standard else { throw .xrayRuleExists() }
      var made = SamplingRule(
        key: ResourceKey(place: call.place, name: name), settings: input.settings,
        created: xray.world.now())
      made.tags = try XRayTag.merge(input.tags, into: [])
      let rule = made
      try await xray.rules.change(rule.key) { record throws(AWSError) in
        guard record == nil else { throw .xrayRuleExists() }
        let others = xray.rules.newest(in: call.place).filter { !$0.isStandard }
        guard others.count < SamplingRule.most else { throw .xrayRuleLimit() }
        record = rule
      }
      return Output(rule: rule)
    }
  }
}
