/// gridctl-roles(7), from what the requests declare.
enum RolesPage {
  static var text: String {
    var page = ManualText(
      title: "gridctl-roles", section: 7, name: "gridctl-roles", abstract: "who may ask what of a gridctl cluster")
    page.section("DESCRIPTION")
    page.blocks(HelpBlocks(RolesText.introduction))
    page.section("REQUESTS")
    page.flow("Commands are made of requests; the error of one that is refused names it.")
    page.literal(RolesText.rows)
    page.section("LIMITS")
    page.blocks(HelpBlocks(RolesText.limits))
    page.section("SEE ALSO")
    page.line(".Xr gridctl 1 ,")
    page.line(".Xr gridctl-exit 7")
    return page.text
  }
}
