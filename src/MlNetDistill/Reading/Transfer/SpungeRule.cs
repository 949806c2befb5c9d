namespace MlNetDistill.Reading;

/// <summary>AutoGluon's spunge: some attributes are those of random rows, and some numbers get noise.</summary>
internal sealed class SpungeRule(SpungeRows settings, ParentRows rows) : MixRule
{
    private readonly int _replaced = (int)(settings.Share * rows.Attributes);
    private readonly HashSet<int> _chosen = [];

    public override double MixNumber(int attribute, ParentColumn column, int slot)
    {
        var first = attribute * (long)DrawsPerAttribute;
        var value = column.Get(PickRow(attribute), slot);
        return Draws.Uniform(first + 1) < settings.NoiseProbability && double.IsFinite(value)
            ? value + (Draws.Normal(first + 2) * settings.Noise * rows.Deviation(attribute))
            : value;
    }

    public override int PickRow(int attribute) => _chosen.Contains(attribute) ? Draws.Integer(attribute * (long)DrawsPerAttribute, rows.Count) : Row;

    // Floyd's sample: so many different attributes, each set of them as probable as another.
    protected override void BeginRow()
    {
        _chosen.Clear();
        for (var last = rows.Attributes - _replaced; last < rows.Attributes; last++)
        {
            var drawn = Draws.Integer((rows.Attributes * (long)DrawsPerAttribute) + last, last + 1);
            _chosen.Add(_chosen.Contains(drawn) ? last : drawn);
        }
    }
}
