namespace MlNetDistill.Reading;

/// <summary>A row on the line between a row and one of its nearest neighbours.</summary>
internal sealed class InterpolateRule(ParentRows rows, int[]?[] neighbours) : MixRule
{
    private int _partner;
    private double _place;

    public override double MixNumber(int attribute, ParentColumn column, int slot)
    {
        var (own, other) = (column.Get(Row, slot), column.Get(_partner, slot));
        if (!double.IsFinite(own) || !double.IsFinite(other))
            return column.Get(PickRow(attribute), slot);
        // Rounding must not take it out of the interval.
        return Math.Clamp(own + (_place * (other - own)), Math.Min(own, other), Math.Max(own, other));
    }

    public override int PickRow(int attribute) => Draws.Uniform(attribute * (long)DrawsPerAttribute) < _place ? _partner : Row;

    protected override void BeginRow()
    {
        var (first, nearest) = (rows.Attributes * (long)DrawsPerAttribute, neighbours[Row]!);
        (_place, _partner) = (Draws.Uniform(first), nearest[Draws.Integer(first + 1, nearest.Length)]);
    }
}
