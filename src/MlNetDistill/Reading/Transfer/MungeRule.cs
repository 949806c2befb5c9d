namespace MlNetDistill.Reading;

/// <summary>MUNGE (Bucila et al. 2006): with some probability an attribute becomes that of the nearest neighbour, a number with noise as wide as the difference.</summary>
internal sealed class MungeRule(MungeRows settings, int[]?[] neighbours) : MixRule
{
    private int _neighbour;

    /// <summary>x_j + g |x_i - x_j| / s where u is below the probability, else x_i. Where one of the two is missing there is no difference, and x_j is taken.</summary>
    public static double Mix(double own, double other, double uniform, double normal, double probability, double spread) =>
        uniform >= probability ? own : double.IsFinite(own) && double.IsFinite(other) ? other + (normal * Math.Abs(own - other) / spread) : other;

    public override double MixNumber(int attribute, ParentColumn column, int slot)
    {
        var uniform = Draws.Uniform(attribute * (long)DrawsPerAttribute);
        var own = column.Get(Row, slot);
        return uniform >= settings.Probability ? own : Mix(
            own, column.Get(_neighbour, slot), uniform, Draws.Normal((attribute * (long)DrawsPerAttribute) + 1), settings.Probability, settings.Spread);
    }

    public override int PickRow(int attribute) => Draws.Uniform(attribute * (long)DrawsPerAttribute) < settings.Probability ? _neighbour : Row;

    protected override void BeginRow() => _neighbour = neighbours[Row]![0];
}
