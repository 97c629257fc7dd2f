// UpdateEventSourceMapping: changes an event source mapping; what the request does not name stays.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum UpdateEventSourceMapping: Operation {
    static let route = Route.rest(
      "Lambda.UpdateEventSourceMapping", .put, "/2015-03-31/event-source-mappings/{UUID}", status: 202)

    struct Input: Readable {
      let uuid: String
      /// nil: the function stays.
      let name: FunctionNameParts?
      let isEnabled: Bool?
      let settings: [String: JSONValue]

      init(_ r: Reader) throws(AWSError) {
        uuid = r.mappingUUID()
        let m = try r.smallBody("UpdateEventSourceMapping")
        name = m.string("FunctionName", .length(1, 256), .pattern(FunctionReference.pattern))
          .flatMap { FunctionNameParts($0) }
        isEnabled = m.bool("Enabled")
        settings = EventSourceMappingSettings.update(m)
      }
    }

    typealias Output = EventSourceMappingAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = lambda.mappingKey(input.uuid, call)
      let catalogue = lambda.resources.eventSourceMappings
      guard catalogue.find(key) != nil else { throw .mappingNotFound() }
      let function = try input.name.map { (name) throws(AWSError) in try lambda.mappedFunction(name, call) }
      let world = lambda.world
      let mapping = try await catalogue.change(key) {
        (after: inout EventSourceMapping?) throws(AWSError) -> EventSourceMapping in
        guard var mapping = after else { throw .mappingNotFound() }
        if mapping.state.isBusy { throw .mappingInUse("update") }
        try EventSourceMapping.check(input.settings, of: mapping.source)
        mapping.apply(input.settings)
        try EventSourceMapping.check(all: mapping.settings, of: mapping.source, mapping.sourceARN)
        if let function, function != mapping.functionARN {
          mapping.functionARN = function
          let others = catalogue.newest(in: key.place)
          if let other = others.first(where: { mapping.isDuplicate(of: $0) }) { throw mapping.duplicateError(other) }
        }
        let wasEnabled = mapping.isEnabled
        mapping.isEnabled = input.isEnabled ?? wasEnabled
        mapping.state = mapping.isEnabled == wasEnabled ? .updating : wasEnabled ? .disabling : .enabling
        mapping.lastModified = world.now()
        after = mapping
        return mapping
      }
      lambda.resources.schedule(mapping: key)
      return Output(mapping: mapping)
    }
  }
}
