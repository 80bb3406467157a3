"""Coupons, promotion codes, and the discounts that they become on a subscription."""

from __future__ import annotations

from tests.fakes.stripe.amounts import discounted
from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.periods import months_later
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, merge_metadata, new_id

_COUPON = ("amount_off", "currency", "duration", "duration_in_months", "max_redemptions", "metadata", "name")
_PROMOTION = ("active", "code", "customer", "expires_at", "max_redemptions", "metadata")


def _create_coupon(world: World, call: Call) -> Json:
    params = call.params
    if ("percent_off" in params) == ("amount_off" in params):
        raise StripeError("Must provide exactly one of `percent_off` or `amount_off`.", param="percent_off")
    wanted = params.get("id", new_id("coupon")[-8:])
    if wanted in world.tables["coupon"]:
        raise StripeError("Coupon already exists.", param="id", code="resource_already_exists")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        raise StripeError("`duration_in_months` goes with `duration=repeating`.", param="duration_in_months")
    values: Json = {"id": wanted, "duration": "once", "metadata": {}, "valid": True}
    given = {name: params[name] for name in (*_COUPON, "percent_off", "redeem_by") if name in params}
    coupon = world.make("coupon", "coupon", values | given)
    world.emit("coupon.created", coupon)
    return coupon


def _coupon(world: World, call: Call) -> Json:
    return world.get("coupon", call.path["coupon"], "coupon")


def _update_coupon(world: World, call: Call) -> Json:
    coupon = _coupon(world, call)
    coupon["name"] = call.params.get("name", coupon["name"])
    if "metadata" in call.params:
        merge_metadata(coupon, call.params["metadata"])
    return coupon


def _delete_coupon(world: World, call: Call) -> Json:
    coupon = world.tables["coupon"].pop(_coupon(world, call)["id"])
    world.emit("coupon.deleted", coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def _create_promotion(world: World, call: Call) -> Json:
    params = call.params
    coupon = world.get("coupon", params["promotion"].get("coupon", ""), "promotion[coupon]", status=400)
    given = {name: params[name] for name in _PROMOTION if name in params}
    values = {"active": True, "code": new_id("PROMO")[-8:].upper(), "metadata": {}}
    values |= {"promotion": {"type": "coupon", "coupon": coupon["id"]}}
    return world.make("promotion_code", "promo", values | given)


def _promotion(world: World, call: Call) -> Json:
    return world.get("promotion_code", call.path["promotion_code"], "promotion_code")


def _update_promotion(world: World, call: Call) -> Json:
    promotion = _promotion(world, call)
    promotion["active"] = call.params.get("active", promotion["active"])
    if "metadata" in call.params:
        merge_metadata(promotion, call.params["metadata"])
    return promotion


def _list_promotions(world: World, call: Call) -> Json:
    names = ("active", "code", "customer")
    rows = [
        row
        for row in world.rows("promotion_code")
        if all(row[name] == call.params.get(name, row[name]) for name in names)
    ]
    return page(rows, call.params, "/v1/promotion_codes")


def promotion_of_code(world: World, code: str) -> Json:
    """The promotion code that a customer types, whatever its case; StripeError if it gives nothing now."""
    for row in world.rows("promotion_code"):
        if row["code"].lower() == code.lower() and _is_good(world, row):
            return row
    raise StripeError(f"This promotion code is invalid: {code}", param="promotion_code")


def _is_good(world: World, redeemable: Json) -> bool:
    """Whether a coupon or promotion code can still be redeemed."""
    until = redeemable.get("expires_at") or redeemable.get("redeem_by")
    left = redeemable["max_redemptions"] is None or (
        redeemable["times_redeemed"] < redeemable["max_redemptions"]
    )
    return redeemable.get("active", True) and left and (until is None or world.now() < until)


def chosen(world: World, wanted: list[Json], param: str = "discounts") -> list[Json]:
    """The coupons and promotion codes that a call names, as {coupon, promotion_code, discount} with ids."""
    return [_chosen_one(world, one, f"{param}[{index}]") for index, one in enumerate(wanted)]


def _chosen_one(world: World, one: Json, param: str) -> Json:
    if "discount" in one:
        held = world.get("discount", one["discount"], f"{param}[discount]", status=400)
        return {"discount": held["id"], "coupon": held["source"]["coupon"]}
    promotion = None
    if "promotion_code" in one:
        where = f"{param}[promotion_code]"
        promotion = world.get("promotion_code", one["promotion_code"], where, status=400)
        if not _is_good(world, promotion):
            raise StripeError("This promotion code is not active or has expired.", param=where)
    coupon_id = promotion["promotion"]["coupon"] if promotion else one.get("coupon", "")
    coupon = world.tables["coupon"].get(coupon_id)
    if coupon is None or not _is_good(world, coupon):
        raise missing("coupon", coupon_id, f"{param}[coupon]", status=400)
    return {"coupon": coupon["id"], "promotion_code": promotion and promotion["id"]}


def redeem(world: World, customer: str, subscription: str, picks: list[Json]) -> list[str]:
    """Turn coupons into discounts that begin now; the ids of the discounts."""
    return [pick.get("discount") or _redeem_one(world, customer, subscription, pick) for pick in picks]


def _redeem_one(world: World, customer: str, subscription: str, pick: Json) -> str:
    coupon, now = world.get("coupon", pick["coupon"], "coupon"), world.now()
    months = coupon["duration_in_months"]
    discount = world.make(
        "discount",
        "di",
        {
            "customer": customer,
            "end": months_later(now, months) if months else None,
            "promotion_code": pick.get("promotion_code"),
            "source": {"type": "coupon", "coupon": coupon["id"]},
            "start": now,
            "subscription": subscription,
        },
    )
    coupon["times_redeemed"] += 1
    if pick.get("promotion_code"):
        world.get("promotion_code", pick["promotion_code"], "promotion_code")["times_redeemed"] += 1
    world.emit("customer.discount.created", discount)
    wanted: str = discount["id"]
    return wanted


def running(world: World, subscription: Json, at: int) -> list[Json]:
    """The discounts of a subscription that count at that moment."""
    held = [world.tables["discount"][wanted] for wanted in subscription["discounts"]]
    return [one for one in held if one["end"] is None or at < one["end"]]


def taken_off(world: World, discounts: list[Json], amount: int) -> list[Json]:
    """What each discount takes off an amount, one after the other: {amount, discount}."""
    off = []
    for discount in discounts:
        coupon = world.get("coupon", discount["source"]["coupon"], "coupon")
        less = discounted(amount, coupon)
        amount -= less
        off.append({"amount": less, "discount": discount["id"]})
    return off


def wear_out(world: World, subscription: Json) -> None:
    """Take away what was for one invoice only, and what has run out."""
    now, kept = world.now(), []
    for discount in running(world, subscription, now):
        if world.get("coupon", discount["source"]["coupon"], "coupon")["duration"] == "once":
            discount["end"] = now
        else:
            kept.append(discount["id"])
    subscription["discounts"] = kept


ROUTES: Routes = {
    "POST /v1/coupons": route(_create_coupon, *_COUPON, "id", "percent_off", "redeem_by"),
    "GET /v1/coupons": listing(lambda world, call: page(world.rows("coupon"), call.params, "/v1/coupons")),
    "GET /v1/coupons/{coupon}": route(_coupon),
    "POST /v1/coupons/{coupon}": route(_update_coupon, "metadata", "name"),
    "DELETE /v1/coupons/{coupon}": route(_delete_coupon),
    "POST /v1/promotion_codes": route(_create_promotion, *_PROMOTION, "promotion"),
    "GET /v1/promotion_codes": listing(_list_promotions, "active", "code", "customer"),
    "GET /v1/promotion_codes/{promotion_code}": route(_promotion),
    "POST /v1/promotion_codes/{promotion_code}": route(_update_promotion, "active", "metadata"),
}
