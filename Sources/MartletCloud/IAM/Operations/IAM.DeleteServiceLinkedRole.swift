// DeleteServiceLinkedRole: removes a service-linked role; nothing here uses one, so it is done at once.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteServiceLinkedRole: Operation {
    static let route = Route.query("IAM.DeleteServiceLinkedRole")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) { name = try r.body().iamName(of: IAMRole.noun) }
    }

    struct Output: Writable {
      let task: String

      func write(to w: inout Writer) { w.body { $0.member("DeletionTaskId", task) } }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let role = try iam.find(IAMRole.self, input.name, call)
      guard role.isServiceLinked else { throw .notServiceLinked(input.name) }
      try await iam.delete(IAMRole.self, input.name, call) { role throws(AWSError) in
        guard role.isServiceLinked else { throw .notServiceLinked(input.name) }
      }
      return Output(task: "task\(role.entity.path)\(role.entity.name)/\(RequestID(from: iam.world))")
    }
  }
}
