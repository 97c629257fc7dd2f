// DeleteEventSourceMapping: removes an event source mapping, which shows itself as `Deleting` first.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum DeleteEventSourceMapping: Operation {
    static let route = Route.rest(
      "Lambda.DeleteEventSourceMapping", .delete, "/2015-03-31/event-source-mappings/{UUID}", status: 202)

    struct Input: Readable {
      let uuid: String

      init(_ r: Reader) throws(AWSError) {
        uuid = r.mappingUUID()
      }
    }

    typealias Output = EventSourceMappingAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = lambda.mappingKey(input.uuid, call)
      let mapping = try await lambda.resources.eventSourceMappings.change(key) {
        (after: inout EventSourceMapping?) throws(AWSError) -> EventSourceMapping in
        guard var mapping = after else { throw .mappingNotFound() }
        if mapping.state.isBusy { throw .mappingInUse("delete") }
        mapping.state = .deleting
        after = mapping
        return mapping
      }
      lambda.resources.schedule(mapping: key)
      return Output(mapping: mapping)
    }
  }
}
