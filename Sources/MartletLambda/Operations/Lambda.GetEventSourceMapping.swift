// GetEventSourceMapping: an event source mapping.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum GetEventSourceMapping: Operation {
    static let route = Route.rest("Lambda.GetEventSourceMapping", .get, "/2015-03-31/event-source-mappings/{UUID}")

    struct Input: Readable {
      let uuid: String

      init(_ r: Reader) throws(AWSError) {
        uuid = r.mappingUUID()
      }
    }

    typealias Output = EventSourceMappingAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let mapping = lambda.resources.eventSourceMappings.find(lambda.mappingKey(input.uuid, call)) else {
        throw .mappingNotFound()
      }
      return Output(mapping: lambda.shown(mapping))
    }
  }
}
