namespace MlNetDistill.Reading;

/// <summary>With some probability an attribute is that of a random row.</summary>
internal sealed class MarginalSwapRule(MarginalSwapRows settings, ParentRows rows) : MixRule
{
    public override double MixNumber(int attribute, ParentColumn column, int slot) => column.Get(PickRow(attribute), slot);

    public override int PickRow(int attribute)
    {
        var first = attribute * (long)DrawsPerAttribute;
        return Draws.Uniform(first) < settings.Probability ? Draws.Integer(first + 1, rows.Count) : Row;
    }
}
