using Microsoft.ML;
using MlNetDistill.Hostile.Uses;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A saved student.</summary>
internal class StudentZip : FileFormat
{
    protected const string FileName = "student.zip";

    public override string Name => "student";

    public override string Title => "student zip";

    public override IReadOnlyList<string> Words => [FileName];

    public override void Make(string folder)
    {
        var context = Log.Context();
        var view = Sample.Points();
        context.Model.SaveAtomically(context.Fit(Rows.Quick() with { Student = NetworkSpec.Mlp(8, 6) }, view), view.Schema, Path.Combine(folder, FileName));
    }

    public override string Use(string folder, int variant)
    {
        var context = Log.Context();
        var model = context.Model.LoadVerified(Path.Combine(folder, FileName), out _);
        using var disposable = model as IDisposable;
        return Bits(model.Scores(Sample.Points(30)));
    }
}

/// <summary>A saved student of which an entry was changed, with checksums that are right again.</summary>
internal sealed class RezippedStudent : StudentZip
{
    public override string Name => "student-rezipped";

    public override string Title => "student zip, entries changed, right checksums";

    public override string Damage(string folder, Random random) => Rezipped.Damage(Path.Combine(folder, FileName), random);
}
