using MlNetDistill.Cache;
using MlNetDistill.Hostile.Uses;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A teacher's answers in a folder.</summary>
internal class TeacherRecords : FileFormat
{
    public override string Name => "record";

    public override string Title => "teacher record";

    public override void Make(string folder) => Fit(folder, RecordReuse.BuildAnew);

    public override string Use(string folder, int variant) => Fit(folder, variant == 0 ? RecordReuse.ReuseOrBuild : RecordReuse.ReuseOnly);

    protected static string Fit(string folder, RecordReuse reuse)
    {
        var view = Sample.Points(60);
        var teacher = Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), classNames: Rows.Classes);
        var options = Sample.Short(teacher) with { Record = new TeacherRecordOptions { Folder = folder, Reuse = reuse } };
        return Bits(Sample.Fit(options, view).Scores(view));
    }
}

/// <summary>A record that a run which was killed left.</summary>
internal sealed class UnfinishedRecord : TeacherRecords
{
    // The footer: two numbers and a hash.
    private const int Footer = 8 + 8 + 32;

    public override string Name => "record-unfinished";

    public override string Title => "unfinished teacher record";

    public override void Make(string folder)
    {
        base.Make(folder);
        var record = Directory.GetFiles(folder).Single();
        File.WriteAllBytes(record + ".partial", File.ReadAllBytes(record)[..^Footer]);
        File.Delete(record);
    }

    public override string Use(string folder, int variant) => Fit(folder, RecordReuse.ReuseOrBuild);
}
