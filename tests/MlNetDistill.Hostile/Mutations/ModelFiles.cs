using Microsoft.ML.Data;
using MlNetDistill.Hostile.Uses;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A model from elsewhere, asked about the points.</summary>
internal abstract class ModelFile : FileFormat
{
    public override IReadOnlyList<string> Words => [FileName];

    protected abstract string FileName { get; }

    public override void Make(string folder) => File.Copy(Sample.Model(FileName), Path.Combine(folder, FileName));

    public override string Use(string folder, int variant) =>
        Bits(Sample.Trainer(Rows.Quick(Teacher(Path.Combine(folder, FileName)))).ScoreTeacher(Sample.Points(30)).GetColumn<float[]>("TeacherScore"));

    protected abstract Teacher Teacher(string path);
}

/// <summary>An ONNX file. Nothing in it tells changed weights from others.</summary>
internal sealed class OnnxTeacher : ModelFile
{
    public override string Name => "onnx";

    public override string Title => "ONNX teacher";

    public override bool IsUnguarded => true;

    protected override string FileName => "iris-mlp.onnx";

    protected override Teacher Teacher(string path) => MlNetDistill.Teacher.FromOnnx(path, classNames: Rows.Classes);
}

/// <summary>A TorchScript archive, whose entries have checksums.</summary>
internal class ScriptTeacher : ModelFile
{
    public override string Name => "torchscript";

    public override string Title => "TorchScript teacher";

    protected override string FileName => "mlp.pt";

    protected override Teacher Teacher(string path) =>
        MlNetDistill.Teacher.FromTorchScript(path, classNames: Rows.Classes, trialLimit: TimeSpan.FromSeconds(15));
}

/// <summary>A TorchScript archive of which an entry was changed, with checksums that are right again: nothing else guards it.</summary>
internal sealed class RezippedScript : ScriptTeacher
{
    public override string Name => "torchscript-rezipped";

    public override string Title => "TorchScript teacher, entries changed, right checksums";

    public override bool IsUnguarded => true;

    public override string Damage(string folder, Random random) => Rezipped.Damage(Path.Combine(folder, FileName), random);
}
