// CreateServiceLinkedRole: a role that a service makes for itself.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum CreateServiceLinkedRole: Operation {
    static let route = Route.query("IAM.CreateServiceLinkedRole")

    struct Input: Readable {
      let service: String
      let description: String?
      let suffix: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        service = m.iamName("AWSServiceName", longest: 128)
        description = m.iamDescription()
        let given = m.iamName("CustomSuffix", longest: 64, isRequired: false)
        suffix = given.isEmpty ? nil : given
      }
    }

    typealias Output = IAMShown<IAMRole>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      guard let name = ServiceLinkedRole.name(service: input.service, suffix: input.suffix) else {
        throw .invalidServiceName(input.service)
      }
      guard iam.roles.find(IAMService.key(name, call)) == nil else { throw .suffixTaken(name) }
      let path = "\(IAMRole.servicePath)\(input.service)/"
      let role: IAMRole = try await iam.create(
        name, path: path, limit: iam.limits.roles, quota: "RolesPerAccount", call
      ) {
        (key, entity) throws(AWSError) -> IAMRole in
        var role = IAMRole(key: key, entity: entity, trust: ServiceLinkedRole.trust(service: input.service))
        role.description = input.description
        return role
      }
      return IAMShown(role)
    }
  }
}
