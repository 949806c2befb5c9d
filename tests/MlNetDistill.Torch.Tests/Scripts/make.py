"""Writes the TorchScript files beside it (PyTorch 2.6). Weights are i % 7 - 3 over 10, so that a test can compute what they give."""
import io
import zipfile

import torch
from torch import nn


def fill(module):
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((torch.arange(p.numel()) % 7 - 3).reshape(p.shape) / 10)
    return module


class Mlp(nn.Module):
    """4 -> relu 6 (the embedding) -> 3; dropout in between."""

    def __init__(self):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 3)

    def embed(self, x):
        return self.drop(torch.relu(self.first(x)))

    def forward(self, x):
        return self.last(self.embed(x))


class Tuple(Mlp):
    def forward(self, x):
        e = self.embed(x)
        return self.last(e), e, 7


class List(Mlp):
    def forward(self, x):
        e = self.embed(x)
        return [self.last(e), e]


class Dictionary(Mlp):
    def forward(self, x):
        return {"logits": self.last(self.embed(x))}


class LongMixed(Mlp):
    def forward(self, x):
        e = self.embed(x)
        return self.last(e), e, e, e, e, e, 7


class Classes(Mlp):
    def forward(self, x):
        return self.last(self.embed(x)).argmax(1)


class MatMul(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 3))

    def forward(self, x):
        return torch.matmul(x, self.weight)


class Conv(nn.Module):
    """3xHxW -> two stages -> mean -> 5 scores."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.Linear(6, 5)

    def forward(self, x):
        one = torch.relu(self.one(x))
        two = torch.relu(self.two(one))
        e = two.mean((2, 3))
        return self.last(e), e, one, two


class Glued(Mlp):
    """Traced with one row, as which all rows are then taken."""

    def forward(self, x):
        return self.last(torch.relu(self.first(x).view(1, -1)))


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return x + y


def save(script, name, change=lambda name, data: data):
    """Without the debug records, which hold paths of this machine."""
    whole = io.BytesIO()
    torch.jit.save(script, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(name, "w") as target:
        for entry in source.namelist():
            if not entry.endswith(".debug_pkl"):
                target.writestr(zipfile.ZipInfo(entry), change(entry, source.read(entry)))


def foreign(name, data):
    """What a script with an operator of torchvision looks like."""
    return data.replace(b"torch.relu(", b"ops.torchvision.nms(") if name.endswith("__torch__.py") else data


scripts = dict(mlp=Mlp, tuple=Tuple, list=List, dictionary=Dictionary, longmixed=LongMixed, classes=Classes, matmul=MatMul, conv=Conv, twoinputs=TwoInputs)
for name, module in scripts.items():
    save(torch.jit.script(fill(module())), name + ".pt")
save(torch.jit.script(fill(Mlp()).double()), "double.pt")
save(torch.jit.script(fill(Mlp())), "foreign.pt", foreign)
save(torch.jit.trace(fill(Mlp()).train(), torch.randn(1, 4), check_trace=False), "trainingmode.pt")
save(torch.jit.trace(fill(Glued()).eval(), torch.randn(1, 4)), "glued.pt")
torch.save(fill(Mlp()).state_dict(), "statedict.pth")
torch.save(fill(Mlp()).state_dict(), "oldstatedict.pth", _use_new_zipfile_serialization=False)
