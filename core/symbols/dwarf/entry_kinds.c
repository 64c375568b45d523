#include "entry_kinds.h"

#include "dwarf_handle.h"

enum asnap_entry_kind asnap_entry_kind_of(uint16_t tag)
{
    switch (tag) {
    case DW_TAG_compile_unit:
    case DW_TAG_skeleton_unit:
        return ASNAP_ENTRY_UNIT;
    case DW_TAG_subprogram:
        return ASNAP_ENTRY_FUNCTION;
    case DW_TAG_inlined_subroutine:
        return ASNAP_ENTRY_INLINED;
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
        return ASNAP_ENTRY_BLOCK;
    case DW_TAG_namespace:
    case DW_TAG_module:
        return ASNAP_ENTRY_NAMESPACE;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
        return ASNAP_ENTRY_CLASS;
    case DW_TAG_call_site:
    case DW_TAG_GNU_call_site:
        return ASNAP_ENTRY_CALL;
    case DW_TAG_base_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_unspecified_type:
        return ASNAP_ENTRY_TYPE;
    case DW_TAG_typedef:
        return ASNAP_ENTRY_ALIAS;
    case DW_TAG_pointer_type:
        return ASNAP_ENTRY_POINTER;
    case DW_TAG_reference_type:
        return ASNAP_ENTRY_REFERENCE;
    case DW_TAG_rvalue_reference_type:
        return ASNAP_ENTRY_RVALUE_REFERENCE;
    case DW_TAG_const_type:
        return ASNAP_ENTRY_CONST;
    case DW_TAG_volatile_type:
        return ASNAP_ENTRY_VOLATILE;
    case DW_TAG_atomic_type:
    case DW_TAG_restrict_type:
        return ASNAP_ENTRY_MODIFIED;
    case DW_TAG_array_type:
        return ASNAP_ENTRY_ARRAY;
    case DW_TAG_subroutine_type:
        return ASNAP_ENTRY_FUNCTION_TYPE;
    case DW_TAG_formal_parameter:
        return ASNAP_ENTRY_PARAMETER;
    case DW_TAG_GNU_formal_parameter_pack:
        return ASNAP_ENTRY_PARAMETER_PACK;
    case DW_TAG_unspecified_parameters:
        return ASNAP_ENTRY_ELLIPSIS;
    default:
        return ASNAP_ENTRY_OTHER;
    }
}
