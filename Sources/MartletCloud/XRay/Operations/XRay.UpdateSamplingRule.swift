// UpdateSamplingRule: other settings for a rule; of the Default rule its rate and its reservoir.
// https://docs.aws.amazon.com/xray/latest/api/API_UpdateSamplingRule.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum UpdateSamplingRule: Operation {
    static let route = Route.rest("XRay.UpdateSamplingRule", .post, "/UpdateSamplingRule")

    struct Input: Readable {
      let rule: SamplingRuleReference
      /// Applies what the request says.
      let change: @Sendable (inout SamplingRule.Settings) -> Void
      /// It says something that the Default rule has not.
      let isOnlyRate: Bool
      let flaw: String?

      init(_ r: Reader) throws(AWSError) {
        guard let m = try r.body().requiredObject("SamplingRuleUpdate") else {
          (rule, change, isOnlyRate, flaw) = (SamplingRuleReference(), { _ in }, true, nil)
          return
        }
        rule = SamplingRuleReference(m)
        let any = Int.min...Int.max
        let (priority, reservoir) = (
          m.integer("Priority", in: any), m.integer("ReservoirSize", in: any)
        )
        let rate = m.number("FixedRate", in: XRayTimes.range)
        let resource = m.string("ResourceARN", .length(nil, 500))
        let (name, type) = (
          m.string("ServiceName", .length(nil, 64)), m.string("ServiceType", .length(nil, 64))
        )
        let (host, method) = (
          m.string("Host", .length(nil, 64)), m.string("HTTPMethod", .length(nil, 10))
        )
        let path = m.string("URLPath", .length(nil, 128))
        let (attributes, boost) = (m.samplingAttributes(), m.samplingBoost())
        flaw =
          !(priority.map { (1...9999).contains($0) } ?? true)
          ? "Priority must be between 1 and 9999"
          : !(rate.map { (0...1).contains($0) } ?? true)
            ? "FixedRate must be between 0 and 1"
            : reservoir ?? 0 < 0 ? "ReservoirSize must not be negative" : nil
        isOnlyRate =
          [resource, name, type, host, method, path].allSatisfy { $0 == nil } && priority == nil
          && attributes == nil
        change = { settings in
          settings.priority = priority ?? settings.priority
          settings.reservoir = reservoir ?? settings.reservoir
          settings.fixedRate = rate ?? settings.fixedRate
          settings.resourceARN = resource ?? settings.resourceARN
          settings.serviceName = name ?? settings.serviceName
          settings.serviceType = type ?? settings.serviceType
          settings.host = host ?? settings.host
          settings.method = method ?? settings.method
          settings.path = path ?? settings.path
          settings.attributes = attributes ?? settings.attributes
          settings.boost = boost ?? settings.boost
        }
      }
    }

    typealias Output = CreateSamplingRule.Output

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      if let flaw = input.flaw { throw .xrayInvalidRule(flaw) }
      let name = try input.rule.name(in: call)
      let now = xray.world.now()
      let isStandard = name == SamplingRule.standard
      guard !isStandard || input.isOnlyRate else {
        throw .xrayDefaultRule("has only a FixedRate and a ReservoirSize")
      }
      let key = ResourceKey(place: call.place, name: name)
      let rule = try await xray.rules.change(key) { record throws(AWSError) -> SamplingRule in
        guard var rule = record ?? (isStandard ? .standard(call.place) : nil) else {
          throw .xrayNoRule()
        }
        input.change(&rule.settings)
        rule.modified = now
        record = rule
        return rule
      }
      return Output(rule: rule)
    }
  }
}
