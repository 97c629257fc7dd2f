// UpdateFunctionConfiguration: new settings for $LATEST; what the request leaves out stays as it is.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
import MartletCore
import MartletWire

extension Lambda {
  enum UpdateFunctionConfiguration: Operation {
    static let route = Route.rest(
      "Lambda.UpdateFunctionConfiguration", .put, "/2015-03-31/functions/{FunctionName}/configuration")

    struct Input: Readable {
      let name: FunctionNameParts?
      let settings: FunctionSettings
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        let m = try r.smallBody("UpdateFunctionConfiguration")
        settings = FunctionSettings(m, creating: false)
        revision = m.string("RevisionId")
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration

      func write(to w: inout Writer) {
        w.body { configuration.write(to: &$0) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      let before = try lambda.record(function)
      try before.requireChangeable(revision: input.revision)
      try input.settings.check(lambda.limits, format: before.latest.logging.format)
      let named = try lambda.layers(input.settings.layers, call.place)
      try lambda.limits.requireFit(before.latest.code, named ?? [])
      try input.settings.check(against: before.latest)
      if before.latest.image != nil {
        guard input.settings.handler == nil, input.settings.runtime == nil, named?.isEmpty ?? true else {
          throw .zipSettingsOfImage()
        }
      }
      try await lambda.requireAssumable(input.settings.role, by: function.key.name, call)
      if let runtime = input.settings.runtime { try await lambda.runtimes.require(runtime) }

      let (world, limits) = (lambda.world, lambda.limits)
      let configuration = try await lambda.functions.change(function.key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionConfiguration in
        guard var record = after else { throw .functionNotFound(function.unqualifiedARN) }
        try record.requireChangeable(revision: input.revision)
        try input.settings.check(limits, format: record.latest.logging.format)
        try input.settings.check(against: record.latest)
        let layers = try lambda.layers(input.settings.layers, function.key.place, isWriting: true)
        try limits.requireFit(record.latest.code, layers ?? [])
        if let layers {
          let isSigned = lambda.areSigned(layers.map(\.package))
          try lambda.requireSignature(isSigned, record.codeSigningConfigARN, of: record.key, isWriting: true)
        }
        record.beginUpdate(world)
        input.settings.apply(to: &record.latest)
        if let layers { record.latest.layers = layers }
        after = record
        return record.latest
      }
      lambda.activation.schedule(function.key)
      return Output(configuration: configuration)
    }
  }
}
